#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace eitp {
namespace {

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// About 40 µs: longer than JavaScript's part between two kernels, shorter than what another process would miss.
constexpr int spins = 1000;

thread_local bool working = false;

class Pool {
 public:
  int count() const { return count_; }

  void resize(int count) {
    std::lock_guard<std::mutex> owner(owner_);
    stop();
    count_ = count < 1 ? 1 : count;
    for (int i = 1; i < count_; i++) helpers_.emplace_back([this] { help(); });
  }

  void run(int64_t count, Task task, void* context) {
    std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (working || !owner.owns_lock()) {
      for (int64_t i = 0; i < count; i++) task(context, i);
      return;
    }
    task_ = task;
    context_ = context;
    tasks_ = count;
    done_.store(0);
    ticket_.store((++job_ << 32) | static_cast<uint64_t>(count));
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    working = true;
    while (workOn(job_)) {
    }
    working = false;
    for (int i = 0; i < spins && done_.load() != count; i++) pause();
    if (done_.load() != count) {
      std::unique_lock<std::mutex> lock(mutex_);
      waiting_.store(true);
      finished_.wait(lock, [&] { return done_.load() == count; });
      waiting_.store(false);
    }
    if (failed_.exchange(false)) throw std::bad_alloc();
  }

  ~Pool() { stop(); }

 private:
  /// Takes one task of the job, if one is left. The job's fields are read only after a task is taken: until it is done they cannot change.
  bool workOn(uint64_t job) {
    uint64_t ticket = ticket_.load();
    for (;;) {
      if ((ticket >> 32) != (job & 0xffffffff) || (ticket & 0xffffffff) == 0) return false;
      if (ticket_.compare_exchange_weak(ticket, ticket - 1)) break;
    }
    const int64_t count = tasks_;
    try {
      task_(context_, count - static_cast<int64_t>(ticket & 0xffffffff));
    } catch (const std::bad_alloc&) {
      failed_.store(true);
    }
    if (done_.fetch_add(1) + 1 == count && waiting_.load()) {
      std::lock_guard<std::mutex> lock(mutex_);
      finished_.notify_one();
    }
    return true;
  }

  void help() {
    working = true;
    for (;;) {
      for (int i = 0; i < spins && (ticket_.load() & 0xffffffff) == 0 && !stopping_.load(); i++) pause();
      if ((ticket_.load() & 0xffffffff) == 0 && !stopping_.load()) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return (ticket_.load() & 0xffffffff) != 0 || stopping_.load(); });
        sleepers_.fetch_sub(1);
      }
      if (stopping_.load()) return;
      const uint64_t job = ticket_.load() >> 32;
      while (workOn(job)) {
      }
    }
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_.store(true);
      wake_.notify_all();
    }
    for (std::thread& helper : helpers_) helper.join();
    helpers_.clear();
    stopping_.store(false);
  }

  int count_ = 1;
  std::vector<std::thread> helpers_;
  std::mutex owner_, mutex_;
  std::condition_variable wake_, finished_;
  /// Job number in the upper half, tasks not yet taken in the lower: one word, so that a late helper cannot take from the wrong job.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<int64_t> done_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> waiting_{false}, stopping_{false}, failed_{false};
  uint64_t job_ = 0;
  Task task_ = nullptr;
  void* context_ = nullptr;
  int64_t tasks_ = 0;
};

/// Never destroyed: helpers may still look at it while the process exits.
Pool& pool() {
  static Pool* const only = new Pool;
  return *only;
}

struct Buffer {
  float* data = nullptr;
  int64_t floats = 0;
  ~Buffer() { std::free(data); }
};

}  // namespace

void setThreads(int count) { pool().resize(count); }
int threads() { return pool().count(); }
void runTasks(int64_t count, Task task, void* context) { pool().run(count, task, context); }

float* scratch(int slot, int64_t floats) {
  thread_local Buffer buffers[slotCount];
  Buffer& buffer = buffers[slot];
  if (buffer.floats < floats) {
    std::free(buffer.data);
    buffer.data = nullptr;
    buffer.floats = 0;
    const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + 63) / 64 * 64;
    buffer.data = static_cast<float*>(std::aligned_alloc(64, bytes));
    if (buffer.data == nullptr) throw std::bad_alloc();
    buffer.floats = floats;
  }
  return buffer.data;
}

}  // namespace eitp
