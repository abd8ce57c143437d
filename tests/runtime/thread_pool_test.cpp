#include "tests/runtime/internal.h"

#include <atomic>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <set>
#include <thread>
#include <vector>

namespace {

struct PoolDeleter {
  void operator()(sinter_pool *pool) const { sinter_pool_destroy(pool); }
};
using Pool = std::unique_ptr<sinter_pool, PoolDeleter>;

size_t process_threads() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

struct Counts {
  std::vector<std::atomic<int>> seen;
  int offset;
};

int count(void *, int index, uint8_t *closure) {
  Counts &counts = *reinterpret_cast<Counts *>(closure);
  ++counts.seen[static_cast<size_t>(index - counts.offset)];
  return 0;
}

void check_each_once(sinter_pool *pool, int min, int size) {
  Counts counts{std::vector<std::atomic<int>>(static_cast<size_t>(size)), min};
  CHECK(halide_do_par_for(pool, count, min, size, reinterpret_cast<uint8_t *>(&counts)) == 0);
  for (const auto &seen : counts.seen)
    REQUIRE(seen == 1);
}

} // namespace

TEST_CASE("a loop runs every iteration exactly once, for any number of threads") {
  for (const int threads : {1, 2, 3, 7, 70}) {
    const Pool pool(sinter_pool_create(threads));
    REQUIRE(pool);
    for (const int size : {0, 1, 2, 5, 1000})
      for (int repeat = 0; repeat < 20; ++repeat)
        check_each_once(pool.get(), repeat - 10, size);
  }
}

TEST_CASE("a null user context runs loops serially") { check_each_once(nullptr, 3, 10); }

TEST_CASE("the pool has exactly the workers asked for, growing and shrinking") {
  const size_t before = process_threads();
  const Pool pool(sinter_pool_create(3));
  CHECK(process_threads() == before + 2);
  for (const int threads : {6, 2, 1, 4}) {
    CHECK(sinter_pool_resize(pool.get(), threads) == SINTER_OK);
    CHECK(process_threads() == before + static_cast<size_t>(threads) - 1);
    check_each_once(pool.get(), 0, 100);
  }
}

TEST_CASE("each thread begins with iterations of its own, beside each other") {
  struct State {
    std::atomic<int> arrived{0};
    std::mutex mutex;
    std::map<std::thread::id, std::vector<int>> indices;
  } state;
  const Pool pool(sinter_pool_create(2));
  const auto task = [](void *, int index, uint8_t *closure) {
    State &s = *reinterpret_cast<State *>(closure);
    bool first = false;
    {
      const std::lock_guard<std::mutex> lock(s.mutex);
      std::vector<int> &own = s.indices[std::this_thread::get_id()];
      first = own.empty();
      own.push_back(index);
    }
    if (first) // none does the other's work before that one is there
      for (++s.arrived; s.arrived < 2;)
        std::this_thread::yield();
    return 0;
  };
  CHECK(halide_do_par_for(pool.get(), task, 0, 100, reinterpret_cast<uint8_t *>(&state)) == 0);
  REQUIRE(state.indices.size() == 2);
  for (const auto &[thread, indices] : state.indices)
    CHECK(indices.front() == (thread == std::this_thread::get_id() ? 0 : 50));
}

namespace {

/// Both threads of a pool, for as long as they last, on the processor of the one that calls.
struct Pair {
  cpu_set_t processor;
  std::atomic<int> arrived{0};
};

int pin_together(void *, int, uint8_t *closure) {
  Pair &pair = *reinterpret_cast<Pair *>(closure);
  pthread_setaffinity_np(pthread_self(), sizeof pair.processor, &pair.processor);
  for (++pair.arrived; pair.arrived < 2;)
    std::this_thread::yield();
  return 0;
}

} // namespace

TEST_CASE("a worker on the owner's processor steps back, and yet takes part where all have to") {
  if (sinter_processor_count() < 2)
    return;
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  const Pool pool(sinter_pool_create(2));
  const auto run_pair = [&] {
    Pair pair;
    CPU_ZERO(&pair.processor);
    CPU_SET(sched_getcpu(), &pair.processor);
    CHECK(halide_do_par_for(pool.get(), pin_together, 0, 2, reinterpret_cast<uint8_t *>(&pair)) ==
          0);
  };
  run_pair();
  struct State {
    std::thread::id owner = std::this_thread::get_id();
    std::atomic<int> others{0};
  } state;
  const auto task = [](void *, int, uint8_t *closure) {
    State &s = *reinterpret_cast<State *>(closure);
    if (std::this_thread::get_id() != s.owner)
      ++s.others;
    for (const double end = sinter_seconds() + 50e-6; sinter_seconds() < end;)
      ;
    return 0;
  };
  const double begin = sinter_seconds();
  const int loops = 500;
  for (int repeat = 0; repeat < loops; ++repeat)
    halide_do_par_for(pool.get(), task, 0, 2, reinterpret_cast<uint8_t *>(&state));
  CHECK(state.others < loops / 2);
  CHECK(sinter_seconds() - begin < loops * 1e-3);
  for (int repeat = 0; repeat < 3; ++repeat)
    run_pair();
  sched_setaffinity(0, sizeof before, &before);
}

TEST_CASE("never more threads run a loop than asked for") {
  struct State {
    std::mutex mutex;
    std::set<std::thread::id> ids;
  } state;
  const Pool pool(sinter_pool_create(2));
  const auto task = [](void *, int, uint8_t *closure) {
    State &s = *reinterpret_cast<State *>(closure);
    const std::lock_guard<std::mutex> lock(s.mutex);
    s.ids.insert(std::this_thread::get_id());
    return 0;
  };
  for (int repeat = 0; repeat < 50; ++repeat)
    halide_do_par_for(pool.get(), task, 0, 64, reinterpret_cast<uint8_t *>(&state));
  CHECK(state.ids.size() <= 2);
}

TEST_CASE("loops nest") {
  const Pool pool(sinter_pool_create(3));
  struct Outer {
    std::atomic<int> inner_runs{0};
  } outer;
  const auto task = [](void *user_context, int, uint8_t *closure) {
    const auto inner = [](void *, int, uint8_t *c) {
      ++reinterpret_cast<Outer *>(c)->inner_runs;
      return 0;
    };
    return halide_do_par_for(user_context, inner, 0, 9, closure);
  };
  for (int repeat = 0; repeat < 100; ++repeat)
    CHECK(halide_do_par_for(pool.get(), task, 0, 5, reinterpret_cast<uint8_t *>(&outer)) == 0);
  CHECK(outer.inner_runs == 100 * 5 * 9);
}

TEST_CASE("several threads may run loops in one pool at once") {
  const Pool pool(sinter_pool_create(3));
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        Counts counts{std::vector<std::atomic<int>>(13), 0};
        halide_do_par_for(pool.get(), count, 0, 13, reinterpret_cast<uint8_t *>(&counts));
        for (const auto &seen : counts.seen)
          if (seen != 1)
            std::abort();
      }
    });
  for (std::thread &caller : callers)
    caller.join();
}

TEST_CASE("a failing iteration is reported and ends the loop") {
  const Pool pool(sinter_pool_create(2));
  std::atomic<int> runs{0};
  const auto task = [](void *, int index, uint8_t *closure) {
    ++*reinterpret_cast<std::atomic<int> *>(closure);
    return index == 3 ? -11 : 0;
  };
  CHECK(halide_do_par_for(pool.get(), task, 0, 100000, reinterpret_cast<uint8_t *>(&runs)) == -11);
  CHECK(runs < 100000);
}

TEST_CASE("scratch is aligned, reused and never asked of malloc again once warm") {
  const Pool pool(sinter_pool_create(2));
  const sinter_scratch *scratch = sinter_pool_scratch(pool.get());
  const auto step = [](void *user_context, int index, uint8_t *) {
    const size_t bytes = 1000 * (static_cast<size_t>(index) + 1);
    void *big = halide_malloc(user_context, bytes);
    void *small = halide_malloc(user_context, 1);
    const bool aligned = reinterpret_cast<uintptr_t>(big) % 128 == 0 &&
                         reinterpret_cast<uintptr_t>(small) % 128 == 0;
    std::memset(big, index, bytes);
    halide_free(user_context, big);
    halide_free(user_context, small);
    return aligned ? 0 : 1;
  };
  for (int serial = 0; serial < 5; ++serial)
    for (int i = 0; i < 4; ++i)
      CHECK(step(pool.get(), i, nullptr) == 0);
  const size_t warm = scratch->system_allocations;
  CHECK(warm <= 5);
  for (int repeat = 0; repeat < 10; ++repeat)
    CHECK(step(pool.get(), repeat % 4, nullptr) == 0);
  CHECK(scratch->system_allocations == warm);
  CHECK(halide_do_par_for(pool.get(), step, 0, 4, nullptr) == 0);
}

namespace {

// Iterations that wait for each other, each with scratch of its own, in one loop or in two.
struct Crowd {
  int size;
  std::atomic<int> inside{0};
};

int join_crowd(void *user_context, int, uint8_t *closure) {
  Crowd &crowd = *reinterpret_cast<Crowd *>(closure);
  void *a = halide_malloc(user_context, 5000);
  void *b = halide_malloc(user_context, 6000); // a's class
  void *c = halide_malloc(user_context, 100);
  for (++crowd.inside; crowd.inside < crowd.size;)
    std::this_thread::yield();
  halide_free(user_context, b);
  halide_free(user_context, c);
  halide_free(user_context, a);
  return a && b && c ? 0 : 1;
}

int open_inner_loop(void *user_context, int, uint8_t *closure) {
  void *outer = halide_malloc(user_context, 7000); // the inner loop's class
  const int status = halide_do_par_for(user_context, join_crowd, 0, 1, closure);
  halide_free(user_context, outer);
  return outer ? status : 1;
}

// A kernel's call that `size` threads take part in, every one of them at the same time.
size_t allocations_with_crowd(sinter_pool *pool, int size, bool nested) {
  Crowd crowd{size};
  void *whole = halide_malloc(pool, 8000); // outside of loops: the calling thread's
  CHECK(halide_do_par_for(pool, nested ? open_inner_loop : join_crowd, 0, size,
                          reinterpret_cast<uint8_t *>(&crowd)) == 0);
  halide_free(pool, whole);
  return sinter_pool_scratch(pool)->system_allocations;
}

} // namespace

TEST_CASE("once one thread has run a loop, any number of them find their scratch there") {
  for (const bool nested : {false, true}) {
    const Pool pool(sinter_pool_create(4));
    const size_t warm = allocations_with_crowd(pool.get(), 1, nested);
    CHECK(warm == (nested ? 1 + 4 * (1 + 2 + 1) : 1 + 4 * (2 + 1)));
    for (const int size : {2, 4, 3, 4})
      CHECK(allocations_with_crowd(pool.get(), size, nested) == warm);
    CHECK(sinter_pool_resize(pool.get(), 6) == SINTER_OK);
    const size_t more = allocations_with_crowd(pool.get(), 1, nested);
    CHECK(more > warm);
    CHECK(allocations_with_crowd(pool.get(), 6, nested) == more);
  }
}

TEST_CASE("scratch without a context works, and an absurd size gives null") {
  void *memory = halide_malloc(nullptr, 100);
  CHECK(memory != nullptr);
  halide_free(nullptr, memory);
  halide_free(nullptr, nullptr);
  CHECK(halide_malloc(nullptr, SIZE_MAX) == nullptr);
}
