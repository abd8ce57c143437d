/* `run`: the model as a function from tensors to tensors, in the model's own layout, without the
 * script's scaling.
 */
#include "runtime/commands.h"
#include "runtime/parameters.h"
#include "runtime/ports.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"
#include "runtime/run_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32
#define DEFAULT_TOLERANCE 1e-5

/* One output of the model and what the user wants of it. */
typedef struct run_output {
  const sinter_port *port;
  sinter_array values;
  const char *file, *expected; /* "@y.npy" or NULL */
  double max_absolute, max_relative;
  int64_t wrong; /* elements beyond the tolerances */
} run_output;

typedef struct run_state {
  sinter_run_inputs inputs;
  run_output *outputs;
  int32_t output_count;
  int32_t step; /* samples a call */
} run_state;

static const char *file_of(const char *text) { return *text == '@' ? text + 1 : text; }

/* ---- computing ---------------------------------------------------------------------------------
 */

/* Where a result covers the whole batch, the batch is one call, or else refused. */
static int32_t choose_step(const sinter_model *model, int64_t batch) {
  int whole = 0;
  for (int32_t p = 0; p < model->output_count; ++p)
    whole = whole || !model->outputs[p].batched;
  if (whole && batch <= INT32_MAX)
    return (int32_t)batch;
  const int32_t largest = sinter_largest_batch(model, SINTER_INFER);
  const int32_t step = largest < BATCH ? largest : BATCH;
  return batch < step ? (int32_t)batch : step;
}

static int allocate_outputs(run_state *run) {
  int status = SINTER_OK;
  for (int32_t p = 0; p < run->output_count && status == SINTER_OK; ++p) {
    sinter_array *values = &run->outputs[p].values;
    values->element = (sinter_element)run->outputs[p].port->element;
    values->rank = sinter_port_shape(run->outputs[p].port, run->inputs.batch, values->dims);
    status = sinter_array_allocate(values, run->outputs[p].port->name, INT64_MAX / 2);
  }
  return status;
}

static int convert_inputs(const sinter_model *model, const run_state *run, int64_t first, int32_t n,
                          const sinter_buffers *inputs) {
  int status = SINTER_OK;
  for (int32_t p = 0; p < model->input_count && status == SINTER_OK; ++p) {
    const sinter_port *port = &model->inputs[p];
    const int64_t begin = port->batched ? first * sinter_sample_elements(port) : 0;
    const sinter_array *array = &run->inputs.arrays[p];
    if (array->element == (sinter_element)port->element) {
      const int64_t bytes = sinter_element_bytes(array->element);
      memcpy(inputs->data[p], (const unsigned char *)array->data + begin * bytes,
             (size_t)(sinter_port_elements(port, n) * bytes));
    } else {
      status = sinter_array_convert(array, begin, sinter_port_elements(port, n),
                                    (sinter_element)port->element, inputs->data[p]);
    }
  }
  return status;
}

static int infer_all(sinter_context *context, run_state *run) {
  const sinter_model *model = context->model;
  sinter_buffers inputs;
  void **outputs = calloc((size_t)model->output_count + 1, sizeof *outputs);
  int status = sinter_buffers_allocate(&inputs, model->inputs, model->input_count, run->step);
  if (!outputs)
    status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  if (status == SINTER_OK)
    status = allocate_outputs(run);
  for (int64_t first = 0; first < run->inputs.batch && status == SINTER_OK; first += run->step) {
    const int64_t rest = run->inputs.batch - first;
    const int32_t n = rest < run->step ? (int32_t)rest : run->step;
    for (int32_t p = 0; p < model->output_count; ++p) {
      const sinter_array *values = &run->outputs[p].values;
      const int64_t begin =
          model->outputs[p].batched ? first * sinter_sample_elements(&model->outputs[p]) : 0;
      outputs[p] = (unsigned char *)values->data + begin * sinter_element_bytes(values->element);
    }
    status = convert_inputs(model, run, first, n, &inputs);
    if (status == SINTER_OK)
      status = model->infer(context, inputs.data, n, outputs);
  }
  sinter_buffers_release(&inputs);
  free(outputs);
  return status;
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

static double tolerance(double given) { return isnan(given) ? DEFAULT_TOLERANCE : given; }

/* Equal infinities and two NaNs agree; any other pair that is not finite differs by infinity. */
static void compare_element(run_output *output, double got, double want, double rtol, double atol) {
  if (got == want || (isnan(got) && isnan(want)))
    return;
  const double difference = fabs(got - want);
  const double error = isfinite(difference) ? difference : (double)INFINITY;
  output->max_absolute = fmax(output->max_absolute, error);
  /* By an infinity, any error would be nothing or no number. */
  const double relative = isinf(error) ? error : error / fmax(fabs(want), 1e-30);
  output->max_relative = fmax(output->max_relative, relative);
  if (!(error <= atol + rtol * fabs(want)) || !isfinite(want))
    ++output->wrong;
}

/* The next extent from `d` on that is not 1, or 0. */
static int64_t next_extent(const sinter_array *array, int32_t *d) {
  while (*d < array->rank && array->dims[*d] == 1)
    ++*d;
  return *d < array->rank ? array->dims[(*d)++] : 0;
}

/* Up to extents of 1: other tools keep some and drop some. */
static int same_shape(const sinter_array *a, const sinter_array *b) {
  int32_t i = 0, j = 0;
  for (;;) {
    const int64_t extent = next_extent(a, &i);
    if (extent != next_extent(b, &j))
      return 0;
    if (extent == 0)
      return a->count == b->count;
  }
}

static int compare(run_output *output, const sinter_options *options) {
  const sinter_array *y = &output->values;
  sinter_array expected;
  int status = sinter_read_npy(file_of(output->expected), &expected);
  if (status != SINTER_OK)
    return status;
  if (!same_shape(y, &expected)) {
    char found[160], wanted[160];
    status =
        sinter_fail(SINTER_ERROR_INPUT, "the output %s has shape %s, %s %s", output->port->name,
                    sinter_format_shape(y->dims, y->rank, found, sizeof found), expected.path,
                    sinter_format_shape(expected.dims, expected.rank, wanted, sizeof wanted));
  }
  for (int64_t i = 0; i < y->count && status == SINTER_OK; ++i)
    compare_element(output, sinter_array_value(y, i), sinter_array_value(&expected, i),
                    tolerance(options->rtol), tolerance(options->atol));
  sinter_array_release(&expected);
  return status;
}

/* ---- telling -----------------------------------------------------------------------------------
 */

static json_t *element_json(const sinter_array *y, int64_t index) {
  return y->element == SINTER_F32 ? sinter_number_json(sinter_array_value(y, index))
                                  : json_integer((json_int_t)sinter_array_integer(y, index));
}

static json_t *output_json(const run_output *output) {
  const sinter_array *y = &output->values;
  json_t *object = json_object(), *shape = json_array();
  for (int32_t d = 0; d < y->rank; ++d)
    json_array_append_new(shape, json_integer(y->dims[d]));
  json_object_set_new(object, "name", json_string(output->port->name));
  json_object_set_new(object, "type", json_string(sinter_element_name(y->element)));
  json_object_set_new(object, "shape", shape);
  if (!output->file) {
    json_t *data = json_array();
    for (int64_t i = 0; i < y->count; ++i)
      json_array_append_new(data, element_json(y, i));
    json_object_set_new(object, "data", data);
  }
  if (output->expected) {
    json_object_set_new(object, "max_abs_error", sinter_number_json(output->max_absolute));
    json_object_set_new(object, "max_rel_error", sinter_number_json(output->max_relative));
    json_object_set_new(object, "ok", json_boolean(output->wrong == 0));
  }
  return object;
}

static void print_json(const run_state *run) {
  json_t *object = json_object(), *outputs = json_array();
  double absolute = 0, relative = 0;
  int compared = 0, ok = 1;
  for (int32_t p = 0; p < run->output_count; ++p) {
    const run_output *output = &run->outputs[p];
    json_array_append_new(outputs, output_json(output));
    compared = compared || output->expected;
    ok = ok && output->wrong == 0;
    absolute = fmax(absolute, output->max_absolute);
    relative = fmax(relative, output->max_relative);
  }
  json_object_set_new(object, "outputs", outputs);
  if (compared) {
    json_object_set_new(object, "max_abs_error", sinter_number_json(absolute));
    json_object_set_new(object, "max_rel_error", sinter_number_json(relative));
    json_object_set_new(object, "ok", json_boolean(ok));
  }
  sinter_print_json(object);
}

static void print_values(const sinter_array *y) {
  const int64_t row = y->rank > 0 ? sinter_array_row_elements(y) : 1;
  for (int64_t i = 0; i < y->count; ++i)
    printf("%.9g%c", sinter_array_value(y, i), (i + 1) % row == 0 ? '\n' : ' ');
}

/* The outputs that go nowhere else are printed; of several, each under its name. */
static void print_text(const run_state *run, const sinter_options *options) {
  const int wanted = options->outputs.count == 0 && options->expected.count == 0;
  for (int32_t p = 0; p < run->output_count; ++p) {
    const run_output *output = &run->outputs[p];
    if (run->output_count > 1 && (wanted || output->expected))
      printf("%s:%c", output->port->name, wanted ? '\n' : ' ');
    if (wanted)
      print_values(&output->values);
    if (output->expected)
      printf("largest absolute error %.3g, relative %.3g\n", output->max_absolute,
             output->max_relative);
  }
}

/* ---- the command -------------------------------------------------------------------------------
 */

static int check_outputs(const run_state *run) {
  for (int32_t p = 0; p < run->output_count; ++p)
    if (run->outputs[p].wrong > 0)
      return sinter_fail(SINTER_ERROR_INPUT, "%lld of %lld elements differ from %s",
                         (long long)run->outputs[p].wrong, (long long)run->outputs[p].values.count,
                         file_of(run->outputs[p].expected));
  return SINTER_OK;
}

/* Files come last: nothing is written when something is wrong before. */
static int deliver(run_state *run, const sinter_options *options) {
  int status = SINTER_OK;
  for (int32_t p = 0; p < run->output_count && status == SINTER_OK; ++p)
    if (run->outputs[p].expected)
      status = compare(&run->outputs[p], options);
  for (int32_t p = 0; p < run->output_count && status == SINTER_OK; ++p)
    if (run->outputs[p].file)
      status = sinter_write_npy(file_of(run->outputs[p].file), &run->outputs[p].values);
  if (status != SINTER_OK)
    return status;
  if (options->json)
    print_json(run);
  else
    print_text(run, options);
  return check_outputs(run);
}

static int open_outputs(run_state *run, const sinter_model *model, const sinter_options *options) {
  const int32_t count = model->output_count;
  const char **files = calloc(2 * (size_t)count, sizeof *files), **expected = files + count;
  run->outputs = calloc((size_t)count, sizeof *run->outputs);
  int status =
      files && run->outputs ? SINTER_OK : sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  if (status == SINTER_OK)
    status = sinter_assign_ports("output", &options->outputs, model->outputs, count, files);
  if (status == SINTER_OK)
    status = sinter_assign_ports("expected", &options->expected, model->outputs, count, expected);
  run->output_count = run->outputs ? count : 0;
  for (int32_t p = 0; p < count && status == SINTER_OK; ++p)
    run->outputs[p] =
        (run_output){.port = &model->outputs[p], .file = files[p], .expected = expected[p]};
  free(files);
  return status;
}

static void release(run_state *run) {
  sinter_run_inputs_release(&run->inputs);
  for (int32_t p = 0; p < run->output_count; ++p)
    sinter_array_release(&run->outputs[p].values);
  free(run->outputs);
}

int sinter_run_command(const sinter_model *model, const sinter_options *options) {
  sinter_program_context program = {.context = NULL};
  run_state run = {.outputs = NULL};
  int status = open_outputs(&run, model, options);
  if (status == SINTER_OK)
    status = sinter_run_inputs_read(&run.inputs, model, options);
  if (status == SINTER_OK) {
    run.step = choose_step(model, run.inputs.batch);
    status = sinter_program_context_open(&program, model, options, run.step, SINTER_INFER);
  }
  if (status == SINTER_OK)
    status = sinter_program_load_weights(program.context, options);
  if (status == SINTER_OK)
    status = infer_all(program.context, &run);
  if (status == SINTER_OK)
    status = deliver(&run, options);
  sinter_program_context_close(&program);
  release(&run);
  return status;
}
