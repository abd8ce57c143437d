// Emits what sinter_runtime.h sketches:
//
//   for epoch in first .. epochs:
//     run every training batch, summing n * metric in double; stop on a loss that is not finite
//     run every validation batch likewise
//     record = means of training, then of validation (NaN without one)
//     for each judge (early stopping, the checkpoint):
//       better = the value it monitors beats its best by more than its min_delta
//       better ? keep the weights
//     early stopping's is better ? wait = 0 : ++wait
//     end the epoch; leave when patience is at its end
//   end the training
//
// Early stopping is Keras's: it stops only on an epoch that is no improvement, and never on the
// first of all.
#include "backends/program/training_loop.h"

#include "runtime/sinter_runtime.h"

#include <limits>

namespace sinter {

namespace {

class TrainingLoop {
public:
  TrainingLoop(ModuleWriter &module, const CompiledProgram &compiled, const ModelFunctions &steps)
      : compiled_(compiled), steps_(steps),
        metrics_(static_cast<int64_t>(compiled.interface.metrics.size())),
        w_(module, "train_loop", module.abi.i32, {module.abi.pointer, module.abi.pointer},
           "context session", llvm::GlobalValue::InternalLinkage) {}

  llvm::Function *run();

private:
  llvm::Value *context() { return w_.argument(0); }
  llvm::Value *session() { return w_.argument(1); }

  void allocate();
  void emit_epoch(llvm::Value *epoch);
  void emit_batches(sinter_phase, llvm::Value *epoch, llvm::Value *batches, int64_t record_start);
  void emit_batch(sinter_phase, llvm::Value *epoch, llvm::Value *batch);
  void check_loss(llvm::Value *epoch, llvm::Value *batch);
  void add_to_sums(llvm::Value *n);
  void record_means(int64_t record_start);
  void judge_epoch(llvm::Value *epoch);
  const Monitor &monitor(sinter_judge judge) const {
    return judge == SINTER_JUDGE_STOPPING ? compiled_.interface.stopping
                                          : compiled_.interface.checkpoint;
  }
  llvm::Value *best_place(sinter_judge judge) {
    return w_.element(w_.abi().f64, best_, w_.int32(judge));
  }
  llvm::Value *monitored(const Monitor &);
  llvm::Value *is_better(const Monitor &, llvm::Value *value, llvm::Value *best);
  llvm::Value *judge(sinter_judge, llvm::Value *epoch);
  void end_epoch(llvm::Value *epoch);
  llvm::Value *record_place(int64_t index) {
    return w_.element(w_.abi().f64, record_, w_.int32(index));
  }

  const CompiledProgram &compiled_;
  const ModelFunctions &steps_;
  const int64_t metrics_;
  FunctionWriter w_;

  llvm::Value *inputs_ = nullptr;        // void *[], one an input
  llvm::Value *labels_ = nullptr;        // void *[], one a label
  llvm::Value *batch_metrics_ = nullptr; // float[metrics]
  llvm::Value *sums_ = nullptr;          // double[metrics]
  llvm::Value *record_ = nullptr;        // double[2 * metrics]
  llvm::Value *best_ = nullptr;          // double[2], by sinter_judge
  Variable samples_{}, wait_{}, stopped_early_{};
};

void TrainingLoop::allocate() {
  const Abi &abi = w_.abi();
  const auto array = [&](llvm::Type *type, int64_t n) {
    return llvm::ArrayType::get(type, static_cast<uint64_t>(n));
  };
  const auto count = [](const std::vector<Port> &ports) {
    return static_cast<int64_t>(ports.size());
  };
  inputs_ = w_.stack(array(abi.pointer, count(compiled_.interface.inputs)), "inputs");
  labels_ = w_.stack(array(abi.pointer, count(compiled_.interface.labels)), "labels");
  batch_metrics_ = w_.stack(array(abi.f32, metrics_), "metrics");
  sums_ = w_.stack(array(abi.f64, metrics_), "sums");
  record_ = w_.stack(array(abi.f64, 2 * metrics_), "record");
  samples_ = w_.variable(abi.i64, w_.module().int64(0), "samples");
  best_ = w_.stack(array(abi.f64, 2), "best");
  for (const sinter_judge judge : {SINTER_JUDGE_STOPPING, SINTER_JUDGE_CHECKPOINT})
    w_.ir().CreateStore(w_.call("sinter_session_best", {session(), w_.int32(judge)}),
                        best_place(judge));
  wait_ = w_.variable(abi.i32, w_.call("sinter_session_wait", {session()}), "wait");
  stopped_early_ = w_.variable(abi.i32, w_.int32(0), "stopped_early");
}

// A loss that is NaN or infinite ends the training; the runtime finds out which layer made it.
void TrainingLoop::check_loss(llvm::Value *epoch, llvm::Value *batch) {
  llvm::Value *loss = w_.load_element(w_.abi().f32, batch_metrics_, w_.int32(0));
  llvm::Value *magnitude = w_.ir().CreateUnaryIntrinsic(llvm::Intrinsic::fabs, loss);
  llvm::Value *infinity = w_.module().float32(std::numeric_limits<float>::infinity());
  w_.if_then(w_.ir().CreateNot(w_.ir().CreateFCmpOLT(magnitude, infinity)), [&] {
    w_.return_value(w_.call("sinter_report_nonfinite", {session(), epoch, batch}));
  });
}

// sums[k] += n * metrics[k]; samples += n
void TrainingLoop::add_to_sums(llvm::Value *n) {
  llvm::Value *weight = w_.ir().CreateSIToFP(n, w_.abi().f64);
  for (int64_t k = 0; k < metrics_; ++k) {
    llvm::Value *metric = w_.load_element(w_.abi().f32, batch_metrics_, w_.int32(k));
    llvm::Value *product = w_.ir().CreateFMul(weight, w_.ir().CreateFPExt(metric, w_.abi().f64));
    llvm::Value *place = w_.element(w_.abi().f64, sums_, w_.int32(k));
    llvm::Value *sum = w_.ir().CreateLoad(w_.abi().f64, place);
    w_.ir().CreateStore(w_.ir().CreateFAdd(sum, product), place);
  }
  w_.set(samples_, w_.ir().CreateAdd(w_.get(samples_), w_.ir().CreateSExt(n, w_.abi().i64)));
}

void TrainingLoop::emit_batch(sinter_phase phase, llvm::Value *epoch, llvm::Value *batch) {
  const bool training = phase == SINTER_TRAIN;
  llvm::Value *n =
      w_.call("sinter_next_batch", {session(), w_.int32(phase), batch, inputs_, labels_});
  w_.if_then(w_.ir().CreateICmpSLE(n, w_.int32(0)),
             [&] { w_.return_value(w_.int32(SINTER_ERROR_INPUT)); });
  w_.return_if_failed(w_.ir().CreateCall(training ? steps_.train_step : steps_.eval_step,
                                         {context(), inputs_, labels_, n, batch_metrics_}));
  if (training)
    check_loss(epoch, batch);
  add_to_sums(n);
  if (training)
    w_.call("sinter_batch_done", {session(), w_.get(samples_), sums_});
}

// record[start + k] = sums[k] / samples
void TrainingLoop::record_means(int64_t record_start) {
  llvm::Value *count = w_.ir().CreateSIToFP(w_.get(samples_), w_.abi().f64);
  for (int64_t k = 0; k < metrics_; ++k) {
    llvm::Value *sum = w_.load_element(w_.abi().f64, sums_, w_.int32(k));
    w_.ir().CreateStore(w_.ir().CreateFDiv(sum, count), record_place(record_start + k));
  }
}

void TrainingLoop::emit_batches(sinter_phase phase, llvm::Value *epoch, llvm::Value *batches,
                                int64_t record_start) {
  w_.set(samples_, w_.module().int64(0));
  for (int64_t k = 0; k < metrics_; ++k)
    w_.ir().CreateStore(w_.module().float64(0), w_.element(w_.abi().f64, sums_, w_.int32(k)));
  w_.for_loop("batch", w_.int32(0), batches,
              [&](llvm::Value *batch) { emit_batch(phase, epoch, batch); });
  record_means(record_start);
}

// The value that decides. No session without validation opens when that is what is monitored.
llvm::Value *TrainingLoop::monitored(const Monitor &monitor) {
  return w_.ir().CreateLoad(w_.abi().f64,
                            record_place(monitor.metric + (monitor.validation ? metrics_ : 0)));
}

// Lower is better: value + min_delta < best; higher: value - min_delta > best. False for a NaN.
llvm::Value *TrainingLoop::is_better(const Monitor &monitor, llvm::Value *value,
                                     llvm::Value *best) {
  llvm::Value *delta = w_.module().float64(static_cast<double>(monitor.min_delta));
  if (monitor.maximize)
    return w_.ir().CreateFCmpOGT(w_.ir().CreateFSub(value, delta), best);
  return w_.ir().CreateFCmpOLT(w_.ir().CreateFAdd(value, delta), best);
}

// Whether the epoch is this judge's best so far; then its weights are kept.
llvm::Value *TrainingLoop::judge(sinter_judge judge, llvm::Value *epoch) {
  llvm::Value *value = monitored(monitor(judge));
  llvm::Value *best = w_.ir().CreateLoad(w_.abi().f64, best_place(judge));
  llvm::Value *better = is_better(monitor(judge), value, best);
  w_.if_then(better, [&] {
    w_.ir().CreateStore(value, best_place(judge));
    w_.call("sinter_keep_best", {session(), w_.int32(judge), epoch});
  });
  return better;
}

void TrainingLoop::judge_epoch(llvm::Value *epoch) {
  judge(SINTER_JUDGE_CHECKPOINT, epoch);
  llvm::Value *better = judge(SINTER_JUDGE_STOPPING, epoch);
  llvm::Value *waited = w_.ir().CreateAdd(w_.get(wait_), w_.int32(1));
  w_.set(wait_, w_.ir().CreateSelect(better, w_.int32(0), waited));
}

void TrainingLoop::end_epoch(llvm::Value *epoch) {
  w_.return_if_failed(
      w_.call("sinter_epoch_end", {session(), epoch, record_, best_, w_.get(wait_)}));

  const auto &stopping = compiled_.program.model.training->early_stopping;
  if (!stopping)
    return;
  // wait > 0: this epoch was no improvement.
  const int64_t patience = effective_patience(*stopping);
  llvm::Value *exhausted = w_.ir().CreateICmpSGE(w_.get(wait_), w_.int32(patience));
  llvm::Value *not_first = w_.ir().CreateICmpSGT(epoch, w_.int32(0));
  w_.if_then(w_.ir().CreateAnd(exhausted, not_first), [&] {
    w_.set(stopped_early_, w_.int32(1));
    w_.break_loop();
  });
}

void TrainingLoop::emit_epoch(llvm::Value *epoch) {
  llvm::Value *batches = w_.call("sinter_epoch_begin", {session(), epoch});
  emit_batches(SINTER_TRAIN, epoch, batches, /*record_start=*/0);

  llvm::Value *validation = w_.call("sinter_validation_batches", {session()});
  w_.if_then_else(
      w_.ir().CreateICmpSGT(validation, w_.int32(0)),
      [&] { emit_batches(SINTER_EVAL, epoch, validation, /*record_start=*/metrics_); },
      [&] {
        llvm::Value *none = w_.module().float64(std::numeric_limits<double>::quiet_NaN());
        for (int64_t k = 0; k < metrics_; ++k)
          w_.ir().CreateStore(none, record_place(metrics_ + k));
      });
  judge_epoch(epoch);
  end_epoch(epoch);
}

llvm::Function *TrainingLoop::run() {
  allocate();
  llvm::Value *first = w_.call("sinter_session_first_epoch", {session()});
  llvm::Value *epochs = w_.call("sinter_session_epochs", {session()});
  w_.for_loop("epoch", first, epochs, [&](llvm::Value *epoch) { emit_epoch(epoch); });
  w_.return_value(w_.call("sinter_training_end", {session(), w_.get(stopped_early_)}));
  return w_.function();
}

} // namespace

llvm::Function *emit_training_loop(ModuleWriter &module, const CompiledProgram &compiled,
                                   const ModelFunctions &steps) {
  return TrainingLoop(module, compiled, steps).run();
}

} // namespace sinter
