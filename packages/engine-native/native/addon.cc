// What Node sees: memory, one call into the kernel table, threads.
#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels.h"
#include "pool.h"
#include "processor.h"

namespace {

using namespace eitp;

constexpr size_t frameLength = 64;
double frame[frameLength];
const Table* table = nullptr;

struct Arguments {
  napi_value value[4];
  size_t count = 4;
  napi_env env;
  Arguments(napi_env e, napi_callback_info info) : env(e) { napi_get_cb_info(e, info, &count, value, nullptr, nullptr); }
  double number(size_t i) const {
    double x = 0;
    napi_get_value_double(env, value[i], &x);
    return x;
  }
};
napi_value number(napi_env env, double x) {
  napi_value out;
  napi_create_double(env, x, &out);
  return out;
}

/// run(kernel): the kernel's result, or −1 where memory ran out.
napi_value run(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  int32_t kernel = 0;
  napi_get_value_int32(env, arguments.value[0], &kernel);
  int64_t result;
  try {
    result = table->kernels[kernel](frame);
  } catch (const std::bad_alloc&) {
    result = -1;
  }
  return number(env, static_cast<double>(result));
}

/// allocate(bytes): an address, 64-byte aligned, or 0.
napi_value allocate(napi_env env, napi_callback_info info) {
  void* block = nullptr;
  if (posix_memalign(&block, 64, static_cast<size_t>(Arguments(env, info).number(0))) != 0) block = nullptr;
  return number(env, static_cast<double>(reinterpret_cast<uintptr_t>(block)));
}
/// release(address, view?): frees a block; views of it become empty.
napi_value release(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  bool viewed = false;
  if (arguments.count > 1) napi_is_arraybuffer(env, arguments.value[1], &viewed);
  if (viewed) napi_detach_arraybuffer(env, arguments.value[1]);
  std::free(at<void>(arguments.number(0)));
  return nullptr;
}

/// view(address, bytes): an ArrayBuffer over native memory. The caller sees to it that no two overlap and none outlives its block.
napi_value view(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  napi_value out = nullptr;
  napi_create_external_arraybuffer(env, at<void>(arguments.number(0)), static_cast<size_t>(arguments.number(1)), nullptr, nullptr, &out);
  return out;
}

/// copy(address, typed array, in): copies into native memory, or out of it.
napi_value copy(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, arguments.value[1], &type, &length, &data, nullptr, nullptr) != napi_ok) return nullptr;
  const size_t bytes = length * (type == napi_int8_array || type == napi_uint8_array || type == napi_uint8_clamped_array ? 1 : 4);
  bool in = false;
  napi_get_value_bool(env, arguments.value[2], &in);
  if (bytes == 0) return nullptr;
  void* address = at<void>(arguments.number(0));
  if (in) std::memcpy(address, data, bytes);
  else std::memcpy(data, address, bytes);
  return nullptr;
}

/// start(threads, isa): sets the number of threads (0: one per core) and the instruction set ("": the best); returns the threads.
napi_value start(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  char isa[16] = "";
  size_t length = 0;
  napi_get_value_string_utf8(env, arguments.value[1], isa, sizeof isa, &length);
  const Table* chosen = tableFor(isa);
  if (chosen == nullptr) return number(env, 0);
  table = chosen;
  const int wanted = static_cast<int>(arguments.number(0));
  const int count = wanted > 0 ? wanted : cores();
  if (count != threads()) setThreads(count);
  return number(env, threads());
}
napi_value isaName(napi_env env, napi_callback_info) {
  napi_value out;
  napi_create_string_utf8(env, table->isa, NAPI_AUTO_LENGTH, &out);
  return out;
}

}  // namespace

NAPI_MODULE_INIT() {
  table = tableFor("");
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"run", run}, {"allocate", allocate}, {"release", release}, {"view", view}, {"copy", copy}, {"start", start}, {"isa", isaName}};
  for (const auto& f : functions) {
    napi_value value;
    napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.call, nullptr, &value);
    napi_set_named_property(env, exports, f.name, value);
  }
  napi_value buffer, array, names;
  napi_create_external_arraybuffer(env, frame, sizeof frame, nullptr, nullptr, &buffer);
  napi_create_typedarray(env, napi_float64_array, frameLength, buffer, 0, &array);
  napi_set_named_property(env, exports, "frame", array);
  napi_create_array(env, &names);
  const char* const all[] = {
#define X(name) #name,
      EITP_KERNELS(X)
#undef X
  };
  for (uint32_t i = 0; i < kernelCount; i++) {
    napi_value name;
    napi_create_string_utf8(env, all[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, i, name);
  }
  napi_set_named_property(env, exports, "kernels", names);
  return exports;
}
