/* What `run` is given: values for the model's inputs, and which of its ports an option means. */
#pragma once

#include "runtime/array.h"
#include "runtime/options.h"

/* One array an input, and the batch that they agree on (1 for a model without one). */
typedef struct sinter_run_inputs {
  sinter_array *arrays;
  int32_t count;
  int64_t batch;
} sinter_run_inputs;

/* From --input, or random values where no --input is given at all. */
int sinter_run_inputs_read(sinter_run_inputs *inputs, const sinter_model *model,
                           const sinter_options *options);
void sinter_run_inputs_release(sinter_run_inputs *inputs); /* an empty (zeroed) one is allowed */

/* Which text is whose: assigned[p] is the part behind NAME= of the text for port p, or NULL. Texts
 * without a name take the ports that are left, in order. `option` is for messages. */
int sinter_assign_ports(const char *option, const sinter_texts *texts, const sinter_port *ports,
                        int32_t count, const char **assigned);
