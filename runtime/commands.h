/* The program's commands, one source file each. All return a sinter_status. */
#pragma once

#include "runtime/options.h"

int sinter_train_command(const sinter_model *model, const sinter_options *options);
int sinter_evaluate_command(const sinter_model *model, const sinter_options *options);
int sinter_predict_command(const sinter_model *model, const sinter_options *options);
int sinter_run_command(const sinter_model *model, const sinter_options *options);
int sinter_bench_command(const sinter_model *model, const sinter_options *options);
int sinter_info_command(const sinter_model *model, const sinter_options *options);

/* Samples a step: --batch-size, else 1 for a model without a batch, else the script's, else 32. */
int32_t sinter_batch_size(const sinter_model *model, const sinter_options *options);
