/* The contract between a generated program and the runtime linked into it.
 *
 * backends/program emits one `sinter_model` as constant data and the step functions and the
 * training loop as code; the functions declared here are what that code calls. Everything is C11.
 * No step allocates but the first one, and the first one after sinter_set_threads, which fill the
 * scratch pool.
 * Every function that can fail returns a sinter_status and leaves a text in sinter_last_error();
 * nothing aborts, exits or throws.
 *
 * When a library is made, all of these symbols become local to it: two models link into one
 * program, each with its own copy.
 */
#ifndef SINTER_RUNTIME_H
#define SINTER_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SINTER_MAX_RANK 8
#define SINTER_MAX_METRICS 64 /* loss first, then the compiled metrics */
#define SINTER_ALIGNMENT 64   /* of every tensor and of a context's memory */
#define SINTER_MAX_THREADS 1024

typedef enum sinter_status {
  SINTER_OK = 0,
  SINTER_ERROR_INPUT = 1,    /* the user's data or arguments */
  SINTER_ERROR_USAGE = 2,    /* wrong command-line usage */
  SINTER_ERROR_MEMORY = 3,   /* allocation failed or caller's region too small */
  SINTER_ERROR_IO = 4,       /* a file cannot be read or written */
  SINTER_ERROR_NUMERIC = 5,  /* NaN or infinite loss */
  SINTER_ERROR_INTERNAL = 70 /* a bug in Sinter */
} sinter_status;

/* ---- the model as constant data ------------------------------------------------------------ */

typedef enum sinter_role {
  SINTER_ROLE_WEIGHT = 0,    /* trainable */
  SINTER_ROLE_STATISTIC = 1, /* not trained: moving mean and variance, frozen weights */
  SINTER_ROLE_OPTIMIZER = 2  /* momentum, Adam's moments, Adagrad's sums */
} sinter_role;

typedef enum sinter_initializer {
  SINTER_INIT_ZEROS = 0,
  SINTER_INIT_ONES = 1,
  SINTER_INIT_CONSTANT = 2,         /* a */
  SINTER_INIT_UNIFORM = 3,          /* in [a, b) */
  SINTER_INIT_NORMAL = 4,           /* mean a, standard deviation b */
  SINTER_INIT_TRUNCATED_NORMAL = 5, /* the same, redrawn beyond two standard deviations */
  SINTER_INIT_IDENTITY = 6,         /* a on the diagonal of a matrix */
  SINTER_INIT_ORTHOGONAL = 7        /* a times orthonormal rows or columns, whichever are fewer */
} sinter_initializer; /* the compiler resolves Keras's glorot/he/lecun families to these */

/* Element types of files; ports have F32, I32 or U8. */
typedef enum sinter_element {
  SINTER_U8,
  SINTER_I8,
  SINTER_I16,
  SINTER_I32,
  SINTER_I64,
  SINTER_F32,
  SINTER_F64
} sinter_element;

/* One tensor that the caller gives or gets, row-major. */
typedef struct sinter_port {
  const char *name;              /* the model's: "image", "prediction" */
  const char *argument;          /* what C calls it: "x", "y_boxes"; for error messages */
  int64_t dims[SINTER_MAX_RANK]; /* of one sample; of all of it when it has no batch */
  int64_t class_limit;           /* of a label, > 0: class numbers in [0, class_limit) */
  int32_t rank;                  /* without the batch */
  int32_t element;               /* sinter_element */
  int32_t batched;               /* n samples one after another; else one tensor, whatever n */
  int32_t is_probability;        /* of an output: softmax or sigmoid, predict prints percentages */
  int32_t channels_first;        /* of an input: pictures are fed as [C][H][W] */
} sinter_port;

/* One persistent tensor. `block` > 0: logical [.., o] is stored [ceil(o/block)][..][block]. */
typedef struct sinter_parameter {
  const char *name;              /* "conv2d/kernel", "conv2d/kernel/adam_m" */
  int64_t dims[SINTER_MAX_RANK]; /* logical extents, outermost first */
  int64_t block;
  int64_t offset; /* bytes from the start of the parameter region, 64-aligned */
  int64_t bytes;  /* of storage, padding lanes included */
  int32_t rank;
  int32_t role;         /* sinter_role */
  int32_t initializer;  /* sinter_initializer */
  float a, b;           /* of the initializer */
  const float *initial; /* weights compiled in, logical row-major; NULL: initializer */
} sinter_parameter;

/* Preparation is no phase of a context: inference and evaluation begin with it when parameters have
 * changed. It computes what depends on them alone, such as transformed filters. */
typedef enum sinter_phase {
  SINTER_INFER = 0,
  SINTER_EVAL = 1,
  SINTER_TRAIN = 2,
  SINTER_PREPARE = 3
} sinter_phase;

/* Where a value lies while its kernel has just run; n is the batch. */
typedef enum sinter_region {
  SINTER_REGION_PARAMETERS = 0, /* parameters + offset */
  SINTER_REGION_FIXED = 1,      /* arena + offset */
  SINTER_REGION_PER_SAMPLE = 2  /* arena + arena_fixed + n * offset */
} sinter_region;

typedef struct sinter_value {
  int64_t offset;                              /* bytes, as the region says */
  int64_t elements_fixed, elements_per_sample; /* fixed + n * per_sample elements of storage */
  int32_t region;                              /* sinter_region */
  /* Elements 0 to row - 1 lie at `begin`, the next `row` of them `pitch` elements further, and so
   * on; where elements follow each other, row is 0. */
  int32_t row, pitch, begin;
} sinter_value;

/* A kernel of one phase, for bench, info and error messages. */
typedef struct sinter_kernel {
  const char *name;      /* "conv2d_relu_max_pool2d.0" */
  const char *ops;       /* "conv2d+bias_add+relu+max_pool2d" */
  const char *layers;    /* "conv2d, max_pooling2d" */
  const char *algorithm; /* "direct 14x32" */
  double flops_per_sample, flops_fixed;
  double bytes_per_sample, bytes_fixed;
  const sinter_value *outputs; /* its float32 outputs, searched for the origin of a NaN; or NULL */
  int32_t output_count;
} sinter_kernel;

typedef struct sinter_phase_info {
  const sinter_kernel *kernels;
  int32_t kernel_count;
  int32_t largest_batch; /* what the kernels can address: the elements of a buffer fit an int32 */
  /* Bytes: the arena of a batch of n is
   * fixed + n * per_sample + min(n * micro_batch_per_sample, micro_batch_most). */
  int64_t arena_fixed, arena_per_sample, micro_batch_per_sample, micro_batch_most;
} sinter_phase_info;

/* x' = x * a, / a, + a or - a, in float32, in the order of the script. */
typedef enum sinter_scaling_op {
  SINTER_MULTIPLY,
  SINTER_DIVIDE,
  SINTER_ADD,
  SINTER_SUBTRACT
} sinter_scaling_op;
typedef struct sinter_scaling {
  int32_t op;
  float value;
} sinter_scaling;

/* A subset of one source of samples, built up step by step in the script's order. */
typedef enum sinter_subset_op {
  SINTER_SUBSET_SLICE = 0, /* [start:stop] after clamping as Python does; stop INT64_MAX = end */
  SINTER_SUBSET_SPLIT_TRAIN = 1,   /* scikit-learn's train_test_split, the training part */
  SINTER_SUBSET_SPLIT_TEST = 2,    /* the same, the test part */
  SINTER_SUBSET_HEAD_FRACTION = 3, /* Keras validation_split: the first floor(n * (1 - f)) */
  SINTER_SUBSET_TAIL_FRACTION = 4  /* Keras validation_split: the rest (validation) */
} sinter_subset_op;

typedef struct sinter_subset_step {
  int32_t op;
  int32_t shuffle;     /* of the split */
  int64_t start, stop; /* of the slice */
  double
      test_size; /* of the split: a fraction when < 1, else a count; of HEAD/TAIL: the fraction */
  int64_t random_state; /* of the split; -1: the program's seed */
} sinter_subset_step;

typedef struct sinter_subset {
  int32_t source; /* 0: training files, 1: test files, -1: no such subset */
  int32_t step_count;
  const sinter_subset_step *steps;
} sinter_subset;

typedef struct sinter_data {
  const char *dataset;           /* "fashion_mnist", "mnist" or "" when the script names none */
  const sinter_scaling *scaling; /* applied to every element of x */
  int32_t scaling_count;
  int32_t reconstruct; /* 1: the label of a sample is the scaled sample itself */
  sinter_subset train, validation, test;
  const char *const *class_names; /* NULL when unknown */
  int32_t class_count;
} sinter_data;

/* A value by which epochs are judged. */
typedef struct sinter_monitor {
  int32_t metric;     /* index into the metrics */
  int32_t validation; /* the validation's, else the training's */
  int32_t maximize;
  float min_delta; /* an improvement is more than this */
} sinter_monitor;

/* What each of the two monitors decides. */
typedef enum sinter_judge {
  SINTER_JUDGE_STOPPING = 0,  /* when to stop */
  SINTER_JUDGE_CHECKPOINT = 1 /* which weights the checkpoint file holds */
} sinter_judge;

/* After `patience` epochs without gain the learning rate is multiplied by `factor`, down to
 * `min_rate`, and the next `cooldown` epochs do not count. */
typedef struct sinter_plateau {
  sinter_monitor monitor;
  double factor;
  float min_rate;
  int32_t patience, cooldown;
} sinter_plateau;

typedef struct sinter_training {
  int32_t epochs, batch_size, shuffle;
  float learning_rate;
  int32_t early_stopping;         /* 0: none */
  int32_t patience;               /* at least 1: an epoch that improves never stops training */
  int32_t checkpoint_every_epoch; /* the file holds the latest epoch's weights, not the best */
  sinter_monitor monitors[2];     /* by sinter_judge */
  const sinter_plateau *plateau;  /* or NULL */
  const float *epoch_rates;       /* learning rates by epoch; the last one holds on */
  int32_t epoch_rate_count;       /* 0: none */
} sinter_training;

struct sinter_context;
struct sinter_session;

typedef struct sinter_model {
  uint32_t abi;            /* SINTER_ABI */
  const char *name;        /* "fashion" */
  const char *target;      /* "host", "x86-64", as --target gave it */
  const char *description; /* a JSON object: shapes, parameters, layers, training settings */
  const char *model_text;  /* the IR's, kept beside the weights that are written; NULL: none */
  const sinter_parameter *parameters;
  int32_t parameter_count;
  int64_t parameter_bytes; /* of the parameter region */
  int64_t trainable_bytes; /* weights, statistics, prepared values come first; this many bytes */
  const sinter_port *inputs, *labels, *outputs;
  int32_t input_count, label_count, output_count;
  int32_t batched;                  /* some port is; if not, every n must be 1 */
  int32_t metric_count;             /* loss included */
  const char *const *metric_names;  /* "loss", "accuracy" */
  sinter_phase_info phases[3];      /* by sinter_phase; kernel_count 0 when not compiled */
  const char *const *variant_names; /* "x86-64", "avx2", "avx512", then the device's: "opencl" */
  int32_t variant_count;
  int32_t device_variant_count;            /* how many of these, the last ones, are a device's */
  const struct sinter_device_kind *device; /* what runs them (runtime/device.h); NULL: none */
  const sinter_training *training;         /* NULL: inference only */
  const sinter_data *data;                 /* NULL: none in the script */
  /* Generated code: one buffer a port, n the batch, 1 <= n <= max_batch. Inputs and labels are only
   * read. Each checks its arguments (sinter_check_infer, sinter_check_step); metrics may be NULL.
   */
  int (*infer)(struct sinter_context *, void *const *inputs, int32_t n, void *const *outputs);
  int (*eval_step)(struct sinter_context *, void *const *inputs, void *const *labels, int32_t n,
                   float *metrics);
  int (*train_step)(struct sinter_context *, void *const *inputs, void *const *labels, int32_t n,
                    float *metrics);
  int (*train_loop)(struct sinter_context *, struct sinter_session *);
} sinter_model;

#define SINTER_ABI 10u

/* ---- contexts ------------------------------------------------------------------------------ */

struct sinter_pool;   /* thread pool and kernel scratch, one per context */
struct sinter_watch;  /* the search for a non-finite value; the runtime's own */
struct sinter_device; /* a device's memory and order of work, one per context */

/* Room on a device for what the caller gives and gets, by port: addresses as kernels take them. */
typedef struct sinter_device_tensors {
  void **inputs, **labels, **outputs;
} sinter_device_tensors;

typedef struct sinter_profile_entry {
  uint64_t calls;
  double seconds, min_seconds;
  double begun;    /* seconds of the call that goes on with the batch's next samples */
  double *samples; /* of the first sample_capacity calls; may be NULL */
  uint32_t sample_capacity;
} sinter_profile_entry;

/* What the generated code reads: the order of these fields is part of the contract. The address
 * of a value is kernel_parameters + offset, arena + offset (fixed), or
 * arena + arena_fixed + n * per_sample_offset. `pool` is the kernels' user context.
 *
 * A context whose variant is a device's has what kernels use on the device. `parameters` stay in
 * the caller's memory as well, and are what functions of this header read and write. */
typedef struct sinter_context {
  const sinter_model *model;
  unsigned char *parameters; /* all of them in training, else the first trainable_bytes */
  unsigned char *arena;      /* as kernels address it */
  struct sinter_pool *pool;
  uint32_t rng[4]; /* {seed low, seed high, step low, step high}: the dropout key */
  float learning_rate;
  float step;      /* 1-based count of the update being made, for Adam's bias correction */
  int32_t variant; /* index into variant_names, chosen at creation */
  int32_t max_batch;
  int32_t phase_limit; /* largest sinter_phase this context has memory for */
  int32_t threads;
  uint64_t steps_done;
  sinter_profile_entry *profile; /* per kernel of the running phase, or NULL */
  struct sinter_watch *watch;    /* consulted by sinter_profile_end only; NULL most of the time */
  int32_t prepared; /* 1: the prepared values are those of the parameters as they are */
  unsigned char *kernel_parameters;     /* as kernels address them: `parameters` on the processor */
  unsigned char *numbers;               /* the same of rng, learning_rate and step, side by side */
  struct sinter_device *device;         /* NULL: the processor */
  sinter_device_tensors device_tensors; /* NULLs on the processor */
} sinter_context;

/* 0 when an argument is out of range or the size cannot be addressed. Of the caller's memory: what
 * lies on a device is not counted, and a program whose variants are all a device's has no arena
 * here. */
size_t sinter_context_bytes(const sinter_model *, int32_t max_batch, int32_t phase_limit);
/* The largest batch of a context for these phases: kernels index their buffers with an int32. */
int32_t sinter_largest_batch(const sinter_model *, int32_t phase_limit);
const char *sinter_phase_name(int32_t phase); /* "inference", "evaluation", "training" */
/* Lays a context out in the caller's 64-aligned memory, starts threads - 1 workers (threads 0:
 * one a processor), chooses the variant, and initialises the parameters from `seed`. */
int sinter_context_create(const sinter_model *, void *memory, size_t bytes, int32_t max_batch,
                          int32_t phase_limit, int32_t threads, uint64_t seed,
                          sinter_context **out);
void sinter_context_destroy(
    sinter_context *); /* joins the workers; the memory stays the caller's */
/* Every parameter, the optimizer's state included, by its initializer: random ones from
 * Philox(seed, parameter index). */
void sinter_initialize_parameters(sinter_context *, uint64_t seed);
int sinter_set_threads(sinter_context *, int32_t threads);
/* After every change of parameters that is not a training step's: prepared values are stale. */
void sinter_parameters_changed(sinter_context *);
/* Before parameters are read, or some of them changed: brings those that training has changed on a
 * device to the context. */
int sinter_fetch_parameters(const sinter_context *);
/* Called at the head of every generated train_step, after the checks: sets rng[2..3] and `step`
 * from steps_done, then counts this step as done. */
void sinter_begin_train_step(sinter_context *);
/* The arguments of infer, and of eval_step and train_step: a phase that the context is for, a
 * batch that it has room for, no tensor null or misaligned, class numbers in range. Called at the
 * head of every generated step; the first thing wrong is named in the error. */
int sinter_check_infer(const sinter_context *, void *const *inputs, int32_t n,
                       void *const *outputs);
int sinter_check_step(const sinter_context *, int32_t phase, void *const *inputs,
                      void *const *labels, int32_t n);

/* The status for what a kernel returned other than 0, and its text: the kernel may have failed in
 * another thread, whose error text is not this one's. */
int sinter_kernel_failed(int32_t code, const char *kernel);

/* The steps of a program that has variants of a device call these, in a context that runs one,
 * around their kernels. The first brings the parameters that have changed, the numbers and the
 * caller's tensors to the device; the second the outputs back (of an infer), or the metrics, whose
 * addresses on the device are given (of the other steps), and waits until all is done. */
int sinter_device_begin(sinter_context *, int32_t phase, void *const *inputs, void *const *labels,
                        int32_t n);
int sinter_device_end_infer(sinter_context *, int32_t n, void *const *outputs);
int sinter_device_end_step(sinter_context *, const float *const *metric_addresses, float *metrics);

const char *sinter_last_error(void); /* thread-local; "" when none */
int sinter_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Called around each kernel when context->profile is set (and only then). A kernel that runs for
 * some samples of the batch at a time is one call, whose end is that of the `last` samples. */
double sinter_profile_begin(void);
void sinter_profile_end(sinter_context *, int32_t kernel, double begin, int32_t last);

/* The names are in rising order: "x86-64" (with SSE4.1), "avx2", "avx512". The best that the CPU
 * and the operating system allow (cpuid, xgetbv), never above SINTER_VARIANT=<name> when that is
 * set; -1 with an error when none can run here or that name is not among them. */
int32_t sinter_choose_variant(const char *const *names, int32_t count);
/* The same among all of a model's: a device's where there is one here that can run it, unless
 * SINTER_VARIANT names another. Where there is none and the model has variants of the processor, it
 * is one of those, and sinter_last_error() tells what is wrong with the device. */
int32_t sinter_choose_model_variant(const sinter_model *);
/* Whether it is one of the device's. */
int sinter_is_device_variant(const sinter_model *, int32_t variant);

/* What multiplies bf16 numbers, by the same rules; AMX is beyond every variant, so that any
 * SINTER_VARIANT excludes it. */
typedef enum sinter_bf16_arithmetic {
  SINTER_BF16_PLAIN,
  SINTER_BF16_AVX2,
  SINTER_BF16_AVX512,
  SINTER_BF16_AMX
} sinter_bf16_arithmetic;
sinter_bf16_arithmetic sinter_choose_bf16(void);
const char *sinter_bf16_name(sinter_bf16_arithmetic); /* "AVX-512" */

/* ---- files --------------------------------------------------------------------------------- */

/* safetensors, logical row-major float32. Written beside, fsync'ed, renamed. */
int sinter_save(const sinter_context *, const char *path); /* weights and statistics */
int sinter_load(sinter_context *, const char *path); /* by name; every one must be there and fit */

/* ---- what the generated training loop calls -------------------------------------------------- */

typedef struct sinter_session sinter_session; /* data sets, options, history, progress: opaque */

/* Core or program: what stands above this line, and kernel_support.c below, is libsinter_core.a,
 * which a generated library links; the session and sinter_main are libsinter_program.a, which an
 * executable links before it. Both archives carry the static libraries that they need. */

/* The loop (in generated code), with S a session that sinter_main opened:
 *
 *   for (epoch = sinter_session_first_epoch(S); epoch < sinter_session_epochs(S); ++epoch) {
 *     batches = sinter_epoch_begin(S, epoch);           // shuffles by (seed, epoch)
 *     for (b = 0; b < batches; ++b) {                   // the last one may be smaller
 *       n = sinter_next_batch(S, SINTER_TRAIN, b, x, labels);       // gathers and scales; 0: error
 *       status = train_step(ctx, x, labels, n, metrics);
 *       if any metrics[0] is not finite: return sinter_report_nonfinite(S, epoch, b);
 *       sums[k] += (double)n * metrics[k];  samples += n;
 *       sinter_batch_done(S, samples, sums);                        // progress
 *     }
 *     ... the same over validation with eval_step, when sinter_validation_batches(S) > 0 ...
 *     for each judge: better = monitored value improves on best[judge] by more than min_delta
 *       if (better) { best[judge] = value; sinter_keep_best(S, judge, epoch); }
 *     wait = better by SINTER_JUDGE_STOPPING ? 0 : wait + 1;
 *     sinter_epoch_end(S, epoch, record, best, wait);   // prints, history, checkpoint, resume file
 *     if (early stopping and wait >= patience) break;
 *   }
 *   sinter_training_end(S, stopped_early);    // final save
 *
 * A run resumed after it had stopped early, or after its last epoch, gets a first epoch equal to
 * the number of epochs, so the loop does nothing. sinter_report_nonfinite replays the steps since
 * the session's last snapshot with every kernel's outputs checked, so it names the layer whose
 * kernel first made a NaN or an infinity; it returns SINTER_ERROR_NUMERIC.
 */
int32_t sinter_session_first_epoch(sinter_session *); /* > 0 after --resume */
int32_t sinter_session_epochs(sinter_session *);
/* The judge's best value so far; +-infinity before there is one. */
double sinter_session_best(sinter_session *, int32_t judge);
int32_t sinter_session_wait(sinter_session *);               /* epochs since, for a resumed run */
int32_t sinter_epoch_begin(sinter_session *, int32_t epoch); /* number of batches */
int32_t sinter_validation_batches(sinter_session *);
/* Sets one pointer an input and one a label; 0: error. */
int32_t sinter_next_batch(sinter_session *, int32_t phase, int32_t batch, void **inputs,
                          void **labels);
void sinter_batch_done(sinter_session *, int64_t samples, const double *sums);
int sinter_report_nonfinite(sinter_session *, int32_t epoch, int32_t batch);
/* The judge has found this epoch the best so far; the checkpoint's copies its weights aside. */
void sinter_keep_best(sinter_session *, int32_t judge, int32_t epoch);
/* record: metric_count training means, then metric_count validation means (NaN when none). */
int sinter_epoch_end(sinter_session *, int32_t epoch, const double *record, const double *best,
                     int32_t wait);
int sinter_training_end(sinter_session *, int32_t stopped_early);

/* ---- the executable -------------------------------------------------------------------------- */

/* train, evaluate, predict, run, bench, info: parses the command line and does it. */
int sinter_main(const sinter_model *, int argc, char **argv);

/* ---- what Halide's kernels call (no_runtime) --------------------------------------------------
 */
/* halide_do_par_for, halide_malloc, halide_free, halide_error and the handful of error functions
 * that kernels may name are defined in kernel_support.c with Halide 14's signatures; their user
 * context is the context's pool. */

#ifdef __cplusplus
}
#endif
#endif
