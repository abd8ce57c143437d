#include "runtime/ports.h"

#include "runtime/parameters.h"
#include "runtime/philox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t sinter_sample_elements(const sinter_port *port) {
  int64_t elements = 1;
  for (int32_t d = 0; d < port->rank; ++d)
    elements *= port->dims[d];
  return elements;
}

int64_t sinter_port_elements(const sinter_port *port, int64_t n) {
  return (port->batched ? n : 1) * sinter_sample_elements(port);
}

int32_t sinter_port_shape(const sinter_port *port, int64_t n, int64_t dims[SINTER_MAX_RANK]) {
  const int32_t leading = port->batched ? 1 : 0;
  dims[0] = n;
  memcpy(dims + leading, port->dims, (size_t)port->rank * sizeof *dims);
  return port->rank + leading;
}

const char *sinter_format_port(const sinter_port *port, char *text, size_t text_bytes) {
  if (!port->batched)
    return sinter_format_shape(port->dims, port->rank, text, text_bytes);
  const int used = snprintf(text, text_bytes, port->rank > 0 ? "[n, " : "[n");
  char sample[160];
  sinter_format_shape(port->dims, port->rank, sample, sizeof sample);
  snprintf(text + used, text_bytes - (size_t)used, "%s", sample + 1);
  return text;
}

void sinter_fill_random(const sinter_port *ports, int32_t p, uint64_t seed, int64_t count,
                        void *to) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t counter[4] = {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), (uint32_t)p,
                                 SINTER_STREAM_INPUT};
    uint32_t words[4];
    sinter_philox(counter, key, words);
    if (ports[p].element == SINTER_F32)
      ((float *)to)[i] = sinter_unit_float(words[0]);
    else if (ports[p].element == SINTER_I32)
      ((int32_t *)to)[i] = (int32_t)(words[0] >> 31);
    else
      ((uint8_t *)to)[i] = (uint8_t)(words[0] >> 31);
  }
}

/* "image, mask" */
static const char *join_names(const sinter_port *ports, int32_t count, char *text, size_t bytes) {
  size_t used = 0;
  text[0] = '\0';
  for (int32_t p = 0; p < count && used < bytes; ++p)
    used += (size_t)snprintf(text + used, bytes - used, "%s%s", p > 0 ? ", " : "", ports[p].name);
  return text;
}

int sinter_check_fed_by_files(const sinter_model *model) {
  char text[256];
  if (model->input_count != 1)
    return sinter_fail(
        SINTER_ERROR_INPUT,
        "%s takes %d inputs (%s), but files of samples feed one: use run, or link it "
        "as a library",
        model->name, model->input_count,
        join_names(model->inputs, model->input_count, text, sizeof text));
  const sinter_port *input = &model->inputs[0];
  if (!input->batched)
    return sinter_fail(
        SINTER_ERROR_INPUT,
        "the input %s of %s has no batch, but files of samples feed one: use run, or "
        "link it as a library",
        input->name, model->name);
  if (input->element != SINTER_F32)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "the input %s of %s holds whole numbers, but files of samples feed float32: "
                       "use run, or link it as a library",
                       input->name, model->name);
  for (int32_t p = 0; p < model->label_count; ++p)
    if (!model->labels[p].batched || model->labels[p].element == SINTER_U8)
      return sinter_fail(SINTER_ERROR_INPUT, "the labels %s of %s cannot be fed from files",
                         model->labels[p].name, model->name);
  return SINTER_OK;
}

int sinter_buffers_allocate(sinter_buffers *buffers, const sinter_port *ports, int32_t count,
                            int64_t n) {
  *buffers = (sinter_buffers){.data = calloc((size_t)count + 1, sizeof *buffers->data)};
  if (!buffers->data)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  for (buffers->count = 0; buffers->count < count; ++buffers->count) {
    const sinter_port *port = &ports[buffers->count];
    size_t bytes;
    void *memory = NULL;
    if (!__builtin_mul_overflow((size_t)(port->batched ? n : 1),
                                (size_t)sinter_sample_elements(port) * sizeof(float), &bytes))
      memory = calloc(1, bytes + 1);
    if (!memory) {
      sinter_buffers_release(buffers);
      return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for %s of a batch of %lld", port->name,
                         (long long)n);
    }
    buffers->data[buffers->count] = memory;
  }
  return SINTER_OK;
}

void sinter_buffers_release(sinter_buffers *buffers) {
  for (int32_t b = 0; b < buffers->count; ++b)
    free(buffers->data[b]);
  free(buffers->data);
  *buffers = (sinter_buffers){.data = NULL};
}
