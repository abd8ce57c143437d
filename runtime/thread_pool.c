/* A parallel loop is a `loop` on the stack of the thread that runs it, listed in the pool while
 * it has iterations left to claim. The iterations are cut into as many ranges as there are threads.
 * Each takes those of its own range, from the front, and then of the others', from the back: so
 * that a thread finds in its cache the rows of an image that it wrote in the kernel before, and
 * none is idle while there is work. Kernels are written so that who runs which iteration cannot be
 * seen in the result.
 *
 * Lifetime: a worker joins a loop (++helpers) under the mutex while the loop is listed; the owner
 * unlists it under the mutex and then waits until helpers is 0, so no worker can touch a loop whose
 * owner has returned.
 *
 * Waiting: a training step opens some fifteen loops of 50 to 1000 microseconds back to back, and
 * waking a sleeper costs as much as the shortest of them, so an idle thread first spins, about as
 * long as the last iteration of another thread may take. The spin is bounded, and there is none
 * when the pool has more threads than there are processors: it would take time from the thread it
 * waits for.
 *
 * Sharing processors with other programs: a worker that is taken off its processor in the middle of
 * an iteration keeps the others waiting for a slice of somebody else's time, longer than a step of
 * a small network, and nobody can take the iteration over. So it rests: it takes no part for some
 * time, asleep, so that no step takes much longer than with a thread less, and then tries again.
 * One that runs on the processor of a loop's owner, where a scheduler that is fair to programs may
 * leave it for long, only interrupts it: it moves to another processor, or rests where it may not.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "runtime/thread_pool.h"

#include "runtime/profile.h"
#include "runtime/sinter_runtime.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SPIN_SECONDS 100e-6
#define PAUSES_PER_LOOK 8 /* at the clock: a pause takes 10 to 50 nanoseconds, by processor */

#define REST_SECONDS 5e-3 /* after an interruption of some microseconds */
/* After a delay, by the time that the last iteration took. */
#define RESTS_PER_DELAY 2
#define LONGEST_REST_SECONDS 20e-3

#define MOST_RANGES 64
#define CACHE_LINE 64

/* Iterations not yet claimed: the first, and above it in the word the number behind the last. */
typedef struct range {
  _Alignas(CACHE_LINE) _Atomic uint64_t bounds;
} range;

typedef struct loop {
  sinter_task task;
  uint8_t *closure;
  int32_t min;
  int32_t range_count;
  int processor; /* where the owner was when it opened the loop */
  int32_t level; /* 1, or one more than that of the loop whose iteration opened it */
  _Atomic int status;
  _Atomic int helpers; /* workers inside */
  struct loop *following;
  range ranges[MOST_RANGES]; /* of iterations counted from 0 */
} loop;

typedef struct worker {
  pthread_t thread;
  struct sinter_pool *pool;
  int32_t slot;
  long preemptions; /* that it knows of */
  int stepped_back; /* from the loop before, being on its owner's processor */
} worker;

struct sinter_pool {
  pthread_mutex_t mutex;
  pthread_cond_t work_arrived; /* with `loops` or `stopping` */
  pthread_cond_t helper_left;  /* with some loop's `helpers` */
  pthread_cond_t rest_over;    /* with `stopping`, or by the clock */
  loop *loops;                 /* newest first: an inner loop holds up an outer one */
  int sleeping;                /* workers waiting for work_arrived */
  int stopping;
  _Atomic unsigned
      arrivals; /* bumped at each new loop and at a stop; what spinning workers watch */
  _Atomic int waiting_owners; /* threads waiting for helper_left */
  int processor_each;         /* whether there are as many processors as threads */
  worker *workers;
  int32_t worker_count;
  sinter_scratch scratch;
  struct sinter_device *device;
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  for (int i = 0; i < PAUSES_PER_LOOK; ++i)
    __builtin_ia32_pause();
#endif
}

int32_t sinter_processor_count(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return 1;
  const int count = CPU_COUNT(&allowed);
  return count > 0 ? count : 1;
}

sinter_scratch *sinter_pool_scratch(sinter_pool *pool) { return &pool->scratch; }

void sinter_pool_set_device(sinter_pool *pool, struct sinter_device *device) {
  pool->device = device;
}

struct sinter_device *sinter_pool_device(sinter_pool *pool) {
  return pool->device;
}

/* Which range a thread begins with: 0 for whoever calls into the library, then the workers'. */
static _Thread_local int32_t own_slot;

static uint64_t pack_bounds(uint32_t first, uint32_t end) { return (uint64_t)end << 32 | first; }
static uint32_t first_of(uint64_t bounds) { return (uint32_t)bounds; }
static uint32_t end_of(uint64_t bounds) { return (uint32_t)(bounds >> 32); }

static void cut_into_ranges(loop *l, uint32_t size, int32_t threads) {
  const uint32_t most = threads < MOST_RANGES ? (uint32_t)threads : MOST_RANGES;
  const uint32_t count = size < most ? size : most;
  l->range_count = (int32_t)count;
  for (uint32_t r = 0; r < count; ++r)
    atomic_init(&l->ranges[r].bounds, pack_bounds((uint32_t)((uint64_t)size * r / count),
                                                  (uint32_t)((uint64_t)size * (r + 1) / count)));
}

/* The next iteration from one end of the range, or -1. */
static int64_t claim_from(range *r, int back) {
  uint64_t bounds = atomic_load_explicit(&r->bounds, memory_order_relaxed);
  for (;;) {
    const uint32_t first = first_of(bounds), end = end_of(bounds);
    if (first >= end)
      return -1;
    const uint64_t rest = back ? pack_bounds(first, end - 1) : pack_bounds(first + 1, end);
    if (atomic_compare_exchange_weak_explicit(&r->bounds, &bounds, rest, memory_order_relaxed,
                                              memory_order_relaxed))
      return back ? end - 1 : first;
  }
}

static int64_t claim(loop *l) {
  const int32_t own = own_slot % l->range_count;
  int64_t index = claim_from(&l->ranges[own], 0);
  for (int32_t i = 1; i < l->range_count && index < 0; ++i)
    index = claim_from(&l->ranges[(own + i) % l->range_count], 1);
  return index;
}

static int has_work(const loop *l) {
  for (int32_t r = 0; r < l->range_count; ++r) {
    const uint64_t bounds = atomic_load_explicit(&l->ranges[r].bounds, memory_order_relaxed);
    if (first_of(bounds) < end_of(bounds))
      return 1;
  }
  return 0;
}

/* Returns when the last iteration began. */
static double run_iterations(sinter_pool *pool, loop *l) {
  const int32_t outer_level = sinter_scratch_enter(l->level);
  double begun = 0;
  for (int64_t index; (index = claim(l)) >= 0;) {
    begun = sinter_seconds();
    const int status = l->task(pool, (int)(l->min + index), l->closure);
    if (status != 0) {
      int none = 0;
      atomic_compare_exchange_strong(&l->status, &none, status);
      for (int32_t r = 0; r < l->range_count; ++r) /* skip what nobody has begun */
        atomic_store(&l->ranges[r].bounds, 0);
    }
  }
  sinter_scratch_enter(outer_level);
  return begun;
}

/* With the mutex held. */
static loop *loop_with_work(const sinter_pool *pool) {
  for (loop *l = pool->loops; l; l = l->following)
    if (has_work(l))
      return l;
  return NULL;
}

/* Returns whether an owner was asleep, waiting for this worker. The decrement may be the last touch
 * of the loop, which lies on its owner's stack. It and the owner's increment of waiting_owners are
 * sequentially consistent: one sees the other. */
static int leave_loop(sinter_pool *pool, loop *l) {
  if (atomic_fetch_sub(&l->helpers, 1) != 1 || atomic_load(&pool->waiting_owners) == 0)
    return 0;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->helper_left);
  pthread_mutex_unlock(&pool->mutex);
  return 1;
}

/* Whether the calling worker was taken off its processor since the last call. */
static int was_preempted(worker *self) {
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) != 0 || usage.ru_nivcsw == self->preemptions)
    return 0;
  self->preemptions = usage.ru_nivcsw;
  return 1;
}

/* Neither spins nor sleeps among those that a new loop wakes. */
static void rest(sinter_pool *pool, double seconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double nanoseconds = (double)end.tv_nsec + seconds * 1e9;
  end.tv_sec += (time_t)(nanoseconds / 1e9);
  end.tv_nsec = (long)nanoseconds % 1000000000;
  pthread_mutex_lock(&pool->mutex);
  while (!pool->stopping &&
         pthread_cond_timedwait(&pool->rest_over, &pool->mutex, &end) != ETIMEDOUT)
    ;
  pthread_mutex_unlock(&pool->mutex);
}

static double spin_deadline(const sinter_pool *pool) {
  return sinter_seconds() + (pool->processor_each ? SPIN_SECONDS : 0.0);
}

static void spin_for_arrival(sinter_pool *pool, unsigned seen) {
  const double deadline = spin_deadline(pool);
  while (atomic_load_explicit(&pool->arrivals, memory_order_acquire) == seen &&
         sinter_seconds() < deadline)
    pause_briefly();
}

/* Whether the calling thread could leave that processor for another one that it may run on. */
static int leave_processor(int processor) {
  cpu_set_t allowed, others;
  if (processor < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return 0;
  others = allowed;
  CPU_CLR((size_t)processor, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0)
    return 0;
  sched_setaffinity(0, sizeof allowed, &allowed);
  return 1;
}

/* Takes part in the loop, and thereafter waits for the next one: spinning, or at rest. */
static void help(worker *self, loop *l, unsigned seen) {
  sinter_pool *pool = self->pool;
  const int shared = pool->processor_each && sched_getcpu() == l->processor;
  /* Not twice without an iteration: there are loops that wait until all threads take part. */
  self->stepped_back = shared && !leave_processor(l->processor) && !self->stepped_back;
  if (self->stepped_back) {
    leave_loop(pool, l);
    rest(pool, REST_SECONDS);
    return;
  }
  const double begun = run_iterations(pool, l);
  if (leave_loop(pool, l) && begun > 0 && was_preempted(self)) {
    const double seconds = RESTS_PER_DELAY * (sinter_seconds() - begun);
    rest(pool, seconds < LONGEST_REST_SECONDS ? seconds : LONGEST_REST_SECONDS);
  } else {
    spin_for_arrival(pool, seen);
  }
}

static void *work(void *argument) {
  worker *self = argument;
  sinter_pool *pool = self->pool;
  own_slot = self->slot;
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    loop *l = loop_with_work(pool);
    if (l) {
      const unsigned seen = atomic_load(&pool->arrivals);
      atomic_fetch_add(&l->helpers, 1);
      pthread_mutex_unlock(&pool->mutex);
      help(self, l, seen);
      pthread_mutex_lock(&pool->mutex);
    } else if (pool->stopping) {
      break;
    } else {
      ++pool->sleeping;
      pthread_cond_wait(&pool->work_arrived, &pool->mutex);
      --pool->sleeping;
    }
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

static void list_loop(sinter_pool *pool, loop *l, int64_t useful) {
  pthread_mutex_lock(&pool->mutex);
  l->following = pool->loops;
  pool->loops = l;
  atomic_fetch_add_explicit(&pool->arrivals, 1, memory_order_release);
  if (pool->sleeping > 0 && useful >= pool->sleeping)
    pthread_cond_broadcast(&pool->work_arrived);
  else
    for (int64_t w = 0; w < useful && w < pool->sleeping; ++w)
      pthread_cond_signal(&pool->work_arrived);
  pthread_mutex_unlock(&pool->mutex);
}

static void unlist_loop(sinter_pool *pool, loop *l) {
  pthread_mutex_lock(&pool->mutex);
  loop **link = &pool->loops;
  while (*link != l)
    link = &(*link)->following;
  *link = l->following;
  pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_helpers(sinter_pool *pool, loop *l) {
  const double deadline = spin_deadline(pool);
  while (atomic_load(&l->helpers) != 0 && sinter_seconds() < deadline)
    pause_briefly();
  if (atomic_load(&l->helpers) == 0)
    return;
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->waiting_owners, 1);
  while (atomic_load(&l->helpers) != 0)
    pthread_cond_wait(&pool->helper_left, &pool->mutex);
  atomic_fetch_sub(&pool->waiting_owners, 1);
  pthread_mutex_unlock(&pool->mutex);
}

int sinter_pool_run(sinter_pool *pool, sinter_task task, int min, int size, uint8_t *closure) {
  if (size <= 0)
    return 0;
  const int alone = size == 1 || pool->worker_count == 0;
  loop l;
  l.task = task;
  l.closure = closure;
  l.min = min;
  l.processor = alone ? 0 : sched_getcpu();
  l.level = sinter_scratch_level() + 1;
  atomic_init(&l.status, 0);
  atomic_init(&l.helpers, 0);
  cut_into_ranges(&l, (uint32_t)size, alone ? 1 : pool->worker_count + 1);
  if (alone) {
    run_iterations(pool, &l);
    return atomic_load_explicit(&l.status, memory_order_relaxed);
  }
  list_loop(pool, &l, size - 1);
  run_iterations(pool, &l);
  unlist_loop(pool, &l);
  wait_for_helpers(pool, &l);
  return atomic_load(&l.status);
}

static void stop_workers(sinter_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->stopping = 1;
  atomic_fetch_add(&pool->arrivals, 1);
  pthread_cond_broadcast(&pool->work_arrived);
  pthread_cond_broadcast(&pool->rest_over);
  pthread_mutex_unlock(&pool->mutex);
  for (int32_t w = 0; w < pool->worker_count; ++w)
    pthread_join(pool->workers[w].thread, NULL);
  free(pool->workers);
  pool->workers = NULL;
  pool->worker_count = 0;
  pool->stopping = 0;
}

/* Signals are the program's own threads' business. */
static int start_worker(worker *w) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&w->thread, NULL, work, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

int sinter_pool_resize(sinter_pool *pool, int32_t threads) {
  stop_workers(pool);
  sinter_scratch_set_threads(&pool->scratch, threads);
  pool->processor_each = threads <= sinter_processor_count();
  if (threads <= 1)
    return SINTER_OK;
  pool->workers = calloc((size_t)threads - 1, sizeof *pool->workers);
  if (!pool->workers)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for %d threads", threads);
  for (; pool->worker_count < threads - 1; ++pool->worker_count) {
    worker *w = &pool->workers[pool->worker_count];
    w->pool = pool;
    w->slot = pool->worker_count + 1;
    const int error = start_worker(w);
    if (error != 0) {
      const int32_t started = pool->worker_count;
      stop_workers(pool);
      return sinter_fail(SINTER_ERROR_MEMORY, "cannot start thread %d of %d: %s", started + 2,
                         threads, strerror(error));
    }
  }
  return SINTER_OK;
}

sinter_pool *sinter_pool_create(int32_t threads) {
  sinter_pool *pool = calloc(1, sizeof *pool);
  if (!pool) {
    sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the thread pool");
    return NULL;
  }
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->work_arrived, NULL);
  pthread_cond_init(&pool->helper_left, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&pool->rest_over, &monotonic);
  pthread_condattr_destroy(&monotonic);
  sinter_scratch_open(&pool->scratch);
  if (sinter_pool_resize(pool, threads) != SINTER_OK) {
    sinter_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void sinter_pool_destroy(sinter_pool *pool) {
  if (!pool)
    return;
  stop_workers(pool);
  sinter_scratch_close(&pool->scratch);
  pthread_cond_destroy(&pool->helper_left);
  pthread_cond_destroy(&pool->rest_over);
  pthread_cond_destroy(&pool->work_arrived);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
