#include "runtime/run_inputs.h"

#include "runtime/parameters.h"
#include "runtime/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- whose is it? ------------------------------------------------------------------------------
 */

/* The port whose name and '=' begin `text`, or -1; the longest name wins. */
static int32_t named_port(const char *text, const sinter_port *ports, int32_t count) {
  int32_t found = -1;
  size_t longest = 0;
  for (int32_t p = 0; p < count; ++p) {
    const size_t length = strlen(ports[p].name);
    if (strncmp(text, ports[p].name, length) == 0 && text[length] == '=' &&
        (found < 0 || length > longest)) {
      found = p;
      longest = length;
    }
  }
  return found;
}

static int32_t next_port(const char **assigned, int32_t count) {
  int32_t p = 0;
  while (p < count && assigned[p])
    ++p;
  return p;
}

/* "@FILE", "random:..." or something that begins with a shape: no name stands before it. */
static int is_anonymous(const char *text) {
  const char *equals = strchr(text, '=');
  return !equals || *text == '@' || strncmp(text, "random:", 7) == 0 ||
         (size_t)(equals - text) == strspn(text, "0123456789xfiu");
}

int sinter_assign_ports(const char *option, const sinter_texts *texts, const sinter_port *ports,
                        int32_t count, const char **assigned) {
  for (int32_t t = 0; t < texts->count; ++t) { /* names first: they are not in the others' way */
    const int32_t p = named_port(texts->values[t], ports, count);
    if (p < 0)
      continue;
    if (assigned[p])
      return sinter_fail(SINTER_ERROR_USAGE, "two --%s are for %s", option, ports[p].name);
    assigned[p] = texts->values[t] + strlen(ports[p].name) + 1;
  }
  for (int32_t t = 0; t < texts->count; ++t) {
    const char *text = texts->values[t];
    if (named_port(text, ports, count) >= 0)
      continue;
    if (!is_anonymous(text))
      return sinter_fail(SINTER_ERROR_USAGE, "--%s=%s: there is no %.*s", option, text,
                         (int)(strchr(text, '=') - text), text);
    const int32_t p = next_port(assigned, count);
    if (p == count)
      return sinter_fail(SINTER_ERROR_USAGE, "--%s=%s is one too many: there are %d", option, text,
                         count);
    assigned[p] = text;
  }
  return SINTER_OK;
}

/* ---- its value ---------------------------------------------------------------------------------
 */

static int bad_input(const char *text) {
  return sinter_fail(SINTER_ERROR_USAGE,
                     "--input=%s: expected @x.npy, SHAPExf32=VALUE or random:SEED:SHAPE, such as "
                     "1x28x28x1xf32=0.5",
                     text);
}

/* "4x28x28x1" up to `end`, nothing for a scalar; 0 when it is no shape. */
static int parse_shape(const char *text, const char *end, sinter_array *shape) {
  shape->rank = 0;
  while (text < end) {
    char *after;
    errno = 0;
    const long long extent = strtoll(text, &after, 10);
    if (after == text || errno != 0 || extent < 1 || shape->rank == SINTER_MAX_RANK)
      return 0;
    shape->dims[shape->rank++] = extent;
    if (after != end && (*after != 'x' || after + 1 == end))
      return 0;
    text = after == end ? end : after + 1;
  }
  return 1;
}

/* As many elements a sample as the port has; the extents may be grouped otherwise. */
static int check_shape(const sinter_port *port, const sinter_array *x) {
  const int32_t leading = port->batched ? 1 : 0;
  int64_t elements = 1;
  for (int32_t d = leading; d < x->rank; ++d)
    if (__builtin_mul_overflow(elements, x->dims[d], &elements))
      elements = INT64_MAX;
  if (x->rank >= leading && (!leading || x->dims[0] >= 1) &&
      elements == sinter_sample_elements(port))
    return SINTER_OK;
  char found[160], needed[160];
  return sinter_fail(SINTER_ERROR_INPUT, "the input %s has shape %s, but the model needs %s",
                     port->name, sinter_format_shape(x->dims, x->rank, found, sizeof found),
                     sinter_format_port(port, needed, sizeof needed));
}

/* Checked first: a shape that does not fit must not cost its memory. */
static int allocate(const sinter_port *port, sinter_array *array, const char *text) {
  const int status = check_shape(port, array);
  if (status != SINTER_OK)
    return status;
  array->element = (sinter_element)port->element;
  return sinter_array_allocate(array, text, INT64_MAX / 2);
}

/* random:SEED:SHAPE */
static int random_input(const sinter_port *ports, int32_t p, const char *text,
                        sinter_array *array) {
  char *after;
  errno = 0;
  const uint64_t seed = strtoull(text + 7, &after, 10);
  if (after == text + 7 || errno != 0 || *after != ':' ||
      !parse_shape(after + 1, after + strlen(after), array))
    return bad_input(text);
  const int status = allocate(&ports[p], array, text);
  if (status == SINTER_OK)
    sinter_fill_random(ports, p, seed, array->count, array->data);
  return status;
}

/* SHAPExf32=VALUE; the value is converted to the port's type, whatever the one named. */
static int constant_input(const sinter_port *port, const char *text, sinter_array *array) {
  static const char *const types[] = {"f32", "i32", "u8"};
  const char *equals = strchr(text, '='), *type = NULL;
  for (size_t t = 0; equals && t < sizeof types / sizeof *types; ++t) {
    const size_t length = strlen(types[t]);
    if (equals >= text + length && strncmp(equals - length, types[t], length) == 0)
      type = equals - length;
  }
  if (!type || (type > text && type[-1] != 'x'))
    return bad_input(text);
  char *after;
  double value = strtod(equals + 1, &after);
  if (after == equals + 1 || *after != '\0' ||
      !parse_shape(text, type > text ? type - 1 : type, array))
    return bad_input(text);
  uint32_t bits = 0;
  const sinter_array one = {
      .element = SINTER_F64, .count = 1, .data = &value, .path = (char *)text};
  int status = sinter_array_convert(&one, 0, 1, (sinter_element)port->element, &bits);
  if (status == SINTER_OK)
    status = allocate(port, array, text);
  const size_t bytes = (size_t)sinter_element_bytes((sinter_element)port->element);
  for (int64_t i = 0; i < array->count && status == SINTER_OK; ++i)
    memcpy((unsigned char *)array->data + (size_t)i * bytes, &bits, bytes);
  return status;
}

/* One random sample. */
static int default_input(const sinter_port *ports, int32_t p, sinter_array *array) {
  array->rank = sinter_port_shape(&ports[p], 1, array->dims);
  const int status = allocate(&ports[p], array, ports[p].name);
  if (status == SINTER_OK)
    sinter_fill_random(ports, p, 0, array->count, array->data);
  return status;
}

static int read_input(const sinter_port *ports, int32_t p, const char *text, sinter_array *array) {
  if (!text)
    return default_input(ports, p, array);
  if (strncmp(text, "random:", 7) == 0)
    return random_input(ports, p, text, array);
  if (*text != '@')
    return constant_input(&ports[p], text, array);
  const int status = sinter_read_npy(text + 1, array);
  return status == SINTER_OK ? check_shape(&ports[p], array) : status;
}

static int check_batch(sinter_run_inputs *inputs, const sinter_port *ports, int32_t p) {
  const int64_t samples = ports[p].batched ? inputs->arrays[p].dims[0] : 1;
  if (!ports[p].batched)
    return SINTER_OK;
  if (inputs->batch == 0)
    inputs->batch = samples;
  if (inputs->batch == samples)
    return SINTER_OK;
  return sinter_fail(SINTER_ERROR_INPUT, "the input %s has %lld samples, those before it %lld",
                     ports[p].name, (long long)samples, (long long)inputs->batch);
}

int sinter_run_inputs_read(sinter_run_inputs *inputs, const sinter_model *model,
                           const sinter_options *options) {
  const int32_t count = model->input_count;
  *inputs = (sinter_run_inputs){.arrays = calloc((size_t)count + 1, sizeof *inputs->arrays),
                                .count = count};
  const char **texts = calloc((size_t)count + 1, sizeof *texts);
  int status =
      inputs->arrays && texts ? SINTER_OK : sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  if (status == SINTER_OK)
    status = sinter_assign_ports("input", &options->inputs, model->inputs, count, texts);
  for (int32_t p = 0; p < count && status == SINTER_OK; ++p) {
    if (options->inputs.count > 0 && !texts[p])
      status = sinter_fail(SINTER_ERROR_USAGE, "--input=%s=... is missing", model->inputs[p].name);
    else
      status = read_input(model->inputs, p, texts[p], &inputs->arrays[p]);
    if (status == SINTER_OK)
      status = check_batch(inputs, model->inputs, p);
  }
  if (inputs->batch == 0)
    inputs->batch = 1;
  free(texts);
  return status;
}

void sinter_run_inputs_release(sinter_run_inputs *inputs) {
  for (int32_t p = 0; inputs->arrays && p < inputs->count; ++p)
    sinter_array_release(&inputs->arrays[p]);
  free(inputs->arrays);
  *inputs = (sinter_run_inputs){.arrays = NULL};
}
