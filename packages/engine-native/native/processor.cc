#include "processor.h"

#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif

namespace eitp {

const Table* tableFor(const char* isa) {
  const Table* best = nullptr;
  auto offer = [&](const Table& table) {
    if (isa[0] == 0 || std::strcmp(isa, table.isa) == 0) best = &table;
  };
  offer(baseTable);
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) offer(avx2Table);
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    offer(avx512Table);
#endif
  return best;
}

int cores() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    // Two logical processors of one core name the same siblings.
    std::set<std::string> found;
    for (int i = 0; i < CPU_SETSIZE; i++) {
      if (!CPU_ISSET(i, &allowed)) continue;
      const std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(i) + "/topology/thread_siblings_list";
      std::string siblings = std::to_string(i);
      if (FILE* file = std::fopen(path.c_str(), "r")) {
        char line[256];
        if (std::fgets(line, sizeof line, file) != nullptr) siblings = line;
        std::fclose(file);
      }
      found.insert(siblings);
    }
    if (!found.empty()) return static_cast<int>(found.size());
  }
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

}  // namespace eitp
