/* Kernels on an OpenCL device: shared virtual memory, so that an address is a number to which the
 * plan's offsets are added, and a queue in order for each context. libOpenCL.so.1 is loaded when a
 * program looks for a device.
 */
#define CL_TARGET_OPENCL_VERSION 200
#include "runtime/device.h"
#include "runtime/halide_buffer.h"
#include "runtime/thread_pool.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X)                                                                               \
  X(clBuildProgram)                                                                                \
  X(clCreateCommandQueueWithProperties)                                                            \
  X(clCreateContext)                                                                               \
  X(clCreateKernel)                                                                                \
  X(clCreateProgramWithSource)                                                                     \
  X(clEnqueueNDRangeKernel)                                                                        \
  X(clEnqueueSVMMemcpy)                                                                            \
  X(clFinish)                                                                                      \
  X(clGetDeviceIDs)                                                                                \
  X(clGetDeviceInfo)                                                                               \
  X(clGetPlatformIDs)                                                                              \
  X(clGetProgramBuildInfo)                                                                         \
  X(clReleaseCommandQueue)                                                                         \
  X(clReleaseProgram)                                                                              \
  X(clSetKernelArg)                                                                                \
  X(clSetKernelArgSVMPointer)                                                                      \
  X(clSVMAlloc)                                                                                    \
  X(clSVMFree)

#define MOST_PLATFORMS 16
#define MOST_DEVICES 16
#define WORK_GROUP 256 /* the most that a schedule asks for */
#define ADDRESS_ALIGNMENT 128

/* Kernels name libm's functions, OpenCL's have no suffix. */
#define BUILD_OPTIONS                                                                              \
  "-Dfmodf=fmod "                                                                                  \
  "-Dpowf=pow "

/* The process's device, found by the first who looks, and never given back. */
static struct opencl {
  int is_there;
  char problem[256]; /* why there is none */
  char device_name[128];
  cl_context context;
  cl_device_id device;
#define DECLARE(name) __typeof__(name) *name;
  FUNCTIONS(DECLARE)
#undef DECLARE
} cl;
static pthread_once_t cl_once = PTHREAD_ONCE_INIT;

/* The code of one kernel of the plan: one or more functions of the device. */
typedef struct device_function {
  const char *name;
  cl_kernel kernel;
  struct device_function *next;
} device_function;

typedef struct device_code {
  cl_program program;
  device_function *functions;
} device_code;

/* Of all code, and of a function's arguments until it is in a queue. */
static pthread_mutex_t code_mutex = PTHREAD_MUTEX_INITIALIZER;

static int failed(const char *what, cl_int code) {
  if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
      code == CL_OUT_OF_HOST_MEMORY)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory on %s: %s", cl.device_name, what);
  return sinter_fail(SINTER_ERROR_INTERNAL, "%s: %s failed with OpenCL's code %d", cl.device_name,
                     what, code);
}

/* ---- finding the device ------------------------------------------------------------------------
 */

static int load_library(void) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(cl.problem, sizeof cl.problem, "there is no OpenCL here (libOpenCL.so.1)");
    return 0;
  }
#define LOAD(name)                                                                                 \
  *(void **)&cl.name = dlsym(library, #name);                                                      \
  if (!cl.name) {                                                                                  \
    snprintf(cl.problem, sizeof cl.problem, "OpenCL 2.0 is needed: there is no %s", #name);        \
    return 0;                                                                                      \
  }
  FUNCTIONS(LOAD)
#undef LOAD
  return 1;
}

/* Whether kernels can run there; else the problem is noted. */
static int is_fit(cl_device_id device) {
  char name[sizeof cl.device_name] = "";
  cl_device_svm_capabilities shared = 0;
  size_t work_group = 0;
  cl_device_fp_config doubles = 0; /* Adam's bias correction is computed in them */
  cl_bool has_compiler = CL_FALSE;
  cl.clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name - 1, name, NULL);
  cl.clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof shared, &shared, NULL);
  cl.clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof work_group, &work_group, NULL);
  cl.clGetDeviceInfo(device, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof doubles, &doubles, NULL);
  cl.clGetDeviceInfo(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof has_compiler, &has_compiler,
                     NULL);
  const char *lacks = !(shared & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER) ? "shared virtual memory"
                      : work_group < WORK_GROUP                     ? "work groups of 256"
                      : !doubles                                    ? "double precision"
                      : !has_compiler                               ? "a compiler"
                                                                    : NULL;
  if (lacks)
    snprintf(cl.problem, sizeof cl.problem, "the OpenCL device %s has no %s", name, lacks);
  return !lacks;
}

/* GPUs come before other devices. */
static int choose_device(const cl_platform_id *platforms, cl_uint count) {
  static const cl_device_type types[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ALL};
  for (size_t t = 0; t < sizeof types / sizeof *types; ++t)
    for (cl_uint p = 0; p < count; ++p) {
      cl_device_id devices[MOST_DEVICES];
      cl_uint found = 0;
      if (cl.clGetDeviceIDs(platforms[p], types[t], MOST_DEVICES, devices, &found) != CL_SUCCESS)
        continue;
      for (cl_uint d = 0; d < found && d < MOST_DEVICES; ++d)
        if (is_fit(devices[d])) {
          cl.device = devices[d];
          return 1;
        }
    }
  return 0;
}

static void find_device(void) {
  cl_platform_id platforms[MOST_PLATFORMS];
  cl_uint count = 0;
  if (!load_library())
    return;
  snprintf(cl.problem, sizeof cl.problem, "OpenCL knows no device here");
  if (cl.clGetPlatformIDs(MOST_PLATFORMS, platforms, &count) != CL_SUCCESS)
    return;
  if (!choose_device(platforms, count < MOST_PLATFORMS ? count : MOST_PLATFORMS))
    return;
  cl.clGetDeviceInfo(cl.device, CL_DEVICE_NAME, sizeof cl.device_name - 1, cl.device_name, NULL);
  cl_int code;
  cl.context = cl.clCreateContext(NULL, 1, &cl.device, NULL, NULL, &code);
  if (code != CL_SUCCESS)
    snprintf(cl.problem, sizeof cl.problem, "the OpenCL device %s cannot be opened: code %d",
             cl.device_name, code);
  cl.is_there = code == CL_SUCCESS;
}

static int probe(const char *variant) {
  (void)variant; /* source code: any device compiles it */
  pthread_once(&cl_once, find_device);
  return cl.is_there ? SINTER_OK : sinter_fail(SINTER_ERROR_INPUT, "%s", cl.problem);
}

static const char *device_name(void) { return cl.device_name; }

/* ---- memory and queues -------------------------------------------------------------------------
 */

static int open_queue(void **queue) {
  cl_int code;
  *queue = cl.clCreateCommandQueueWithProperties(cl.context, cl.device, NULL, &code);
  return code == CL_SUCCESS ? SINTER_OK : failed("a queue", code);
}

static void close_queue(void *queue) { cl.clReleaseCommandQueue(queue); }

static int finish(void *queue) {
  const cl_int code = cl.clFinish(queue);
  return code == CL_SUCCESS ? SINTER_OK : failed("running kernels", code);
}

static void *pointer(uint64_t address) { return (void *)(uintptr_t)address; }

static int write_memory(void *queue, uint64_t to, const void *from, size_t bytes) {
  const cl_int code =
      cl.clEnqueueSVMMemcpy(queue, CL_FALSE, pointer(to), from, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? SINTER_OK : failed("copying to the device", code);
}

static int read_memory(void *queue, void *to, uint64_t from, size_t bytes) {
  const cl_int code =
      cl.clEnqueueSVMMemcpy(queue, CL_TRUE, to, pointer(from), bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? SINTER_OK : failed("copying from the device", code);
}

static int allocate(size_t bytes, uint64_t *address) {
  void *memory =
      cl.clSVMAlloc(cl.context, CL_MEM_READ_WRITE, bytes > 0 ? bytes : 1, ADDRESS_ALIGNMENT);
  *address = (uintptr_t)memory;
  return memory ? SINTER_OK
                : sinter_fail(SINTER_ERROR_MEMORY, "out of memory on %s: %zu bytes", cl.device_name,
                              bytes);
}

static void release(uint64_t address) { cl.clSVMFree(cl.context, pointer(address)); }

const sinter_device_kind sinter_opencl = {.name = "OpenCL",
                                          .probe = probe,
                                          .device_name = device_name,
                                          .open_queue = open_queue,
                                          .close_queue = close_queue,
                                          .finish = finish,
                                          .write = write_memory,
                                          .read = read_memory,
                                          .allocate = allocate,
                                          .release = release,
                                          .attach = sinter_device_attach,
                                          .detach = sinter_device_detach,
                                          .parameters_changed = sinter_device_parameters_changed,
                                          .fetch_parameters = sinter_device_fetch_parameters,
                                          .wait = sinter_device_wait};

/* ---- what kernels call (Halide 14's signatures) ------------------------------------------------
 */

struct halide_device_interface_t;

const struct halide_device_interface_t *halide_opencl_device_interface(void);
int halide_opencl_initialize_kernels(void *user_context, void **state, const char *source,
                                     int size);
void halide_opencl_finalize_kernels(void *user_context, void *state);
int halide_opencl_run(void *user_context, void *state, const char *name, int blocks_x, int blocks_y,
                      int blocks_z, int threads_x, int threads_y, int threads_z, int shared_bytes,
                      size_t sizes[], void *arguments[], int8_t is_buffer[]);

/* Kernels pass it on to functions that have no use for it. */
const struct halide_device_interface_t *halide_opencl_device_interface(void) { return NULL; }

static void build_failed(cl_program program, cl_int code) {
  char log[400] = "";
  cl.clGetProgramBuildInfo(program, cl.device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
  sinter_fail(SINTER_ERROR_INTERNAL, "%s does not compile a kernel (OpenCL's code %d): %s",
              cl.device_name, code, log);
}

/* NULL on failure, with the error's text. */
static device_code *build_code(const char *source, size_t length) {
  device_code *code = calloc(1, sizeof *code);
  cl_int error = CL_OUT_OF_HOST_MEMORY;
  if (code)
    code->program = cl.clCreateProgramWithSource(cl.context, 1, &source, &length, &error);
  if (error != CL_SUCCESS) {
    failed("a program", error);
    free(code);
    return NULL;
  }
  error = cl.clBuildProgram(code->program, 1, &cl.device, BUILD_OPTIONS, NULL, NULL);
  if (error == CL_SUCCESS)
    return code;
  build_failed(code->program, error);
  cl.clReleaseProgram(code->program);
  free(code);
  return NULL;
}

/* Once a process, for `state` is a variable of the kernel's code. The text ends with a zero. */
int halide_opencl_initialize_kernels(void *user_context, void **state, const char *source,
                                     int size) {
  sinter_device *device = sinter_pool_device(user_context);
  pthread_mutex_lock(&code_mutex);
  if (device->status == SINTER_OK && !*state) {
    *state = build_code(source, strnlen(source, (size_t)size));
    device->status = *state ? SINTER_OK : SINTER_ERROR_INTERNAL;
  }
  pthread_mutex_unlock(&code_mutex);
  return 0;
}

void halide_opencl_finalize_kernels(void *user_context, void *state) {
  (void)user_context; /* the code is kept for the next step */
  (void)state;
}

static cl_kernel find_kernel(device_code *code, const char *name, cl_int *error) {
  for (const device_function *function = code->functions; function; function = function->next)
    if (strcmp(function->name, name) == 0)
      return function->kernel;
  device_function *function = malloc(sizeof *function);
  *error = CL_OUT_OF_HOST_MEMORY;
  cl_kernel kernel = function ? cl.clCreateKernel(code->program, name, error) : NULL;
  if (*error != CL_SUCCESS) {
    free(function);
    return NULL;
  }
  *function = (device_function){name, kernel, code->functions};
  code->functions = function;
  return kernel;
}

/* Halide's code has the room in shared memory, of one byte at least, behind the arguments. */
static cl_int set_arguments(cl_kernel kernel, const size_t sizes[], void *const arguments[],
                            const int8_t is_buffer[], int shared_bytes) {
  cl_int error = CL_SUCCESS;
  cl_uint i = 0;
  for (; sizes[i] != 0 && error == CL_SUCCESS; ++i) {
    if (is_buffer[i]) {
      const sinter_halide_buffer *buffer = arguments[i];
      error = cl.clSetKernelArgSVMPointer(kernel, i, pointer(buffer->device));
    } else {
      error = cl.clSetKernelArg(kernel, i, sizes[i], arguments[i]);
    }
  }
  if (error != CL_SUCCESS)
    return error;
  return cl.clSetKernelArg(kernel, i, shared_bytes > 0 ? (size_t)shared_bytes : 1, NULL);
}

int halide_opencl_run(void *user_context, void *state, const char *name, int blocks_x, int blocks_y,
                      int blocks_z, int threads_x, int threads_y, int threads_z, int shared_bytes,
                      size_t sizes[], void *arguments[], int8_t is_buffer[]) {
  sinter_device *device = sinter_pool_device(user_context);
  if (device->status != SINTER_OK)
    return 0;
  const size_t threads[] = {(size_t)threads_x, (size_t)threads_y, (size_t)threads_z};
  const size_t all[] = {(size_t)blocks_x * threads[0], (size_t)blocks_y * threads[1],
                        (size_t)blocks_z * threads[2]};
  cl_int error = CL_SUCCESS;
  pthread_mutex_lock(&code_mutex);
  cl_kernel kernel = find_kernel(state, name, &error);
  if (error == CL_SUCCESS)
    error = set_arguments(kernel, sizes, arguments, is_buffer, shared_bytes);
  if (error == CL_SUCCESS)
    error = cl.clEnqueueNDRangeKernel(device->queue, kernel, 3, NULL, all, threads, 0, NULL, NULL);
  pthread_mutex_unlock(&code_mutex);
  if (error != CL_SUCCESS)
    device->status = failed(name, error);
  return 0;
}
