#include "runtime/array.h"
#include "runtime/commands.h"
#include "runtime/device.h"
#include "runtime/memory_report.h"
#include "runtime/parameters.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"

#include <string.h>

static int64_t trainable_count(const sinter_model *model) {
  int64_t elements = 0;
  for (int32_t p = 0; p < model->parameter_count; ++p)
    if (model->parameters[p].role == SINTER_ROLE_WEIGHT)
      elements += sinter_parameter_elements(&model->parameters[p]);
  return elements;
}

static json_t *phase_json(const sinter_model *model, int32_t phase, int32_t batch) {
  const sinter_phase_info *info = &model->phases[phase];
  json_t *object = json_object(), *kernels = json_array();
  for (int32_t k = 0; k < info->kernel_count; ++k) {
    json_t *kernel = json_object();
    json_object_set_new(kernel, "name", json_string(info->kernels[k].name));
    json_object_set_new(kernel, "ops", json_string(info->kernels[k].ops));
    json_object_set_new(kernel, "layers", json_string(info->kernels[k].layers));
    json_object_set_new(kernel, "algorithm", json_string(info->kernels[k].algorithm));
    json_array_append_new(kernels, kernel);
  }
  const sinter_memory memory = sinter_measure_memory(model, batch, phase);
  json_object_set_new(object, "bytes",
                      json_integer((json_int_t)sinter_context_bytes(model, batch, phase)));
  json_object_set_new(object, "memory",
                      json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "weights", (json_int_t)memory.weights,
                                "optimizer", (json_int_t)memory.optimizer, "arena",
                                (json_int_t)memory.arena, "buffers", (json_int_t)memory.buffers,
                                "copies", (json_int_t)memory.copies, "total",
                                (json_int_t)memory.total));
  json_object_set_new(object, "kernels", kernels);
  return object;
}

/* The compiler's description with what only the running program knows. */
static void print_json(const sinter_model *model, int32_t batch, int32_t variant) {
  json_t *object = json_loads(model->description, 0, NULL);
  if (!object)
    object = json_object();
  json_object_set_new(object, "model", json_string(model->name));
  json_object_set_new(object, "target", json_string(model->target));
  json_object_set_new(object, "variant", json_string(model->variant_names[variant]));
  if (sinter_is_device_variant(model, variant))
    json_object_set_new(object, "device", json_string(model->device->device_name()));
  if (sinter_uses_bf16(model))
    json_object_set_new(object, "bf16", json_string(sinter_bf16_name(sinter_choose_bf16())));
  json_object_set_new(object, "trainable_params", json_integer(trainable_count(model)));
  json_object_set_new(object, "batch", json_integer(batch));
  for (int32_t phase = SINTER_INFER; phase <= SINTER_TRAIN; ++phase)
    if (model->phases[phase].kernel_count > 0)
      json_object_set_new(object, sinter_phase_name(phase), phase_json(model, phase, batch));
  sinter_print_json(object);
}

static void print_training(const sinter_model *model) {
  const sinter_training *training = model->training;
  if (!training) {
    puts("settings:   compiled for inference only");
    return;
  }
  printf("settings:   %d epochs, batch %d, learning rate %g", training->epochs,
         training->batch_size, (double)training->learning_rate);
  if (training->early_stopping)
    printf(", stops after %d epochs without gain", training->patience);
  putchar('\n');
}

/* The shape of one sample; of several ports, with their names. */
static void print_ports(const char *sort, const sinter_port *ports, int32_t count) {
  char shape[160];
  for (int32_t p = 0; p < count; ++p)
    printf("%-11s %s%s%s%s%s\n", p == 0 ? sort : "", count > 1 ? ports[p].name : "",
           count > 1 ? " " : "",
           sinter_format_shape(ports[p].dims, ports[p].rank, shape, sizeof shape),
           ports[p].element == SINTER_F32 ? "" : " ",
           ports[p].element == SINTER_F32 ? ""
                                          : sinter_element_name((sinter_element)ports[p].element));
}

static void print_phase(const sinter_model *model, int32_t phase, int32_t batch) {
  const sinter_memory memory = sinter_measure_memory(model, batch, phase);
  printf("%s:%*s%d kernels, %.1f MB for a batch of %d", sinter_phase_name(phase),
         11 - (int)strlen(sinter_phase_name(phase)), "", model->phases[phase].kernel_count,
         (double)memory.total / 1e6, batch);
  printf(" (weights %.1f, activations %.1f, data %.1f", (double)memory.weights / 1e6,
         (double)memory.arena / 1e6, (double)memory.buffers / 1e6);
  if (phase == SINTER_TRAIN)
    printf(", optimizer %.1f, copies %.1f", (double)memory.optimizer / 1e6,
           (double)memory.copies / 1e6);
  puts(")");
}

static void print_device(const sinter_model *model, int32_t variant) {
  if (model->device->probe(model->variant_names[model->variant_count - 1]) != SINTER_OK)
    printf("device:     none: %s\n", sinter_last_error());
  else
    printf("device:     %s%s\n", model->device->device_name(),
           sinter_is_device_variant(model, variant) ? "" : ", not used");
}

static void print_text(const sinter_model *model, int32_t batch, int32_t variant) {
  printf("model:      %s\n", model->name);
  print_ports("input:", model->inputs, model->input_count);
  print_ports("output:", model->outputs, model->output_count);
  printf("parameters: %lld trainable\n", (long long)trainable_count(model));
  printf("target:     %s, variants", model->target);
  for (int32_t v = 0; v < model->variant_count; ++v)
    printf(" %s%s", model->variant_names[v], v == variant ? " (this machine's)" : "");
  putchar('\n');
  if (model->device)
    print_device(model, variant);
  if (sinter_uses_bf16(model))
    printf("precision:  bf16, multiplied by %s on this machine\n",
           sinter_bf16_name(sinter_choose_bf16()));
  for (int32_t phase = SINTER_INFER; phase <= SINTER_TRAIN; ++phase)
    if (model->phases[phase].kernel_count > 0)
      print_phase(model, phase, batch);
  print_training(model);
  if (model->data && *model->data->dataset)
    printf("data:       %s\n", model->data->dataset);
}

int sinter_info_command(const sinter_model *model, const sinter_options *options) {
  const int32_t variant = sinter_choose_model_variant(model);
  if (variant < 0)
    return SINTER_ERROR_INPUT;
  const int32_t batch = sinter_batch_size(model, options);
  if (options->json)
    print_json(model, batch, variant);
  else
    print_text(model, batch, variant);
  return SINTER_OK;
}
