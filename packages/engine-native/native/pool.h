// A thread pool for kernels: the caller works too, helpers spin for a bounded time and then sleep.
#pragma once
#include <cstdint>
#include <type_traits>

namespace eitp {

using Task = void (*)(void* context, int64_t index);

/// Threads that run tasks, the caller included; at least 1. Set once, before the first kernel.
void setThreads(int count);
int threads();

/// Runs `task(context, i)` for i in 0 … count − 1 and returns when all are done. Which thread takes which task is not fixed, so a task's result
/// may depend on its index only: that is what makes results reproducible. Inside a task, and where another isolate is computing, it runs in order.
void runTasks(int64_t count, Task task, void* context);

template <class F>
void parallel(int64_t count, F&& f) {
  if (count <= 1 || threads() == 1) {
    for (int64_t i = 0; i < count; i++) f(i);
    return;
  }
  using Body = typename std::remove_reference<F>::type;
  runTasks(count, [](void* context, int64_t i) { (*static_cast<Body*>(context))(i); }, &f);
}

/// Scratch memory of the calling thread, 64-byte aligned, kept between calls. One buffer per slot.
enum Slot { packedA, packedB, slotCount = 12 };
float* scratch(int slot, int64_t floats);

}  // namespace eitp
