#include "runtime/memory_report.h"

#include "runtime/ports.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t buffer_bytes(const sinter_port *ports, int32_t count, int32_t batch) {
  int64_t bytes = 0;
  for (int32_t p = 0; p < count; ++p)
    bytes += sinter_port_elements(&ports[p], batch) *
             (ports[p].element == SINTER_U8 ? 1 : (int64_t)sizeof(float));
  return bytes;
}

sinter_memory sinter_measure_memory(const sinter_model *model, int32_t batch, int32_t phase) {
  const int64_t context = (int64_t)sinter_context_bytes(model, batch, phase);
  sinter_memory memory = {.weights = model->trainable_bytes};
  if (context == 0)
    return memory;
  const int training = phase == SINTER_TRAIN;
  memory.optimizer = training ? model->parameter_bytes - model->trainable_bytes : 0;
  memory.arena = context - memory.weights - memory.optimizer;
  memory.buffers = buffer_bytes(model->inputs, model->input_count, batch) +
                   (phase == SINTER_INFER ? buffer_bytes(model->outputs, model->output_count, batch)
                                          : buffer_bytes(model->labels, model->label_count, batch));
  if (training && model->training)
    memory.copies = model->parameter_bytes +
                    (model->training->checkpoint_every_epoch ? 0 : model->trainable_bytes);
  memory.total = context + memory.buffers + memory.copies;
  return memory;
}

/* The number behind `format` in the first line that has it, or `otherwise`. */
static int64_t read_number(const char *root, const char *path, const char *format,
                           int64_t otherwise) {
  char name[512], line[256];
  snprintf(name, sizeof name, "%s%s", root, path);
  FILE *file = fopen(name, "r");
  int64_t number = otherwise;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, format, &number) == 1)
      break;
  if (file)
    fclose(file);
  return number;
}

int64_t sinter_available_memory(const char *root) {
  const int64_t kilobytes = read_number(root, "/proc/meminfo", "MemAvailable: %" SCNd64, -1);
  const int64_t machine = kilobytes < 0 ? INT64_MAX : kilobytes * 1024;
  const int64_t limit = read_number(root, "/sys/fs/cgroup/memory.max", "%" SCNd64, -1);
  const int64_t used = read_number(root, "/sys/fs/cgroup/memory.current", "%" SCNd64, 0);
  /* Of what the group uses, its cached files would be given up first. */
  const int64_t files = read_number(root, "/sys/fs/cgroup/memory.stat", "file %" SCNd64, 0);
  const int64_t group = limit < 0 ? INT64_MAX : limit - used + files;
  return group < machine ? group : machine;
}

int sinter_check_memory(const sinter_model *model, int32_t batch, int32_t phase, const char *root) {
  const int64_t needed = sinter_measure_memory(model, batch, phase).total;
  const int64_t available = sinter_available_memory(root);
  if (needed <= available)
    return SINTER_OK;
  return sinter_fail(SINTER_ERROR_MEMORY,
                     "%s with a batch of %d needs %.1f MB of memory, and %.1f MB are available: "
                     "take a smaller batch",
                     sinter_phase_name(phase), batch, (double)needed / 1e6,
                     (double)available / 1e6);
}
