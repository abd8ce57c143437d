#include "runtime/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name, *arguments, *summary;
} commands[] = {
    [SINTER_COMMAND_TRAIN] = {"train", "", "train, keeping the best weights in a file"},
    [SINTER_COMMAND_EVALUATE] = {"evaluate", "", "loss and metrics over a part of the data"},
    [SINTER_COMMAND_PREDICT] = {"predict", " IMAGE|x.npy...", "name the classes of images"},
    [SINTER_COMMAND_RUN] = {"run", "", "from input tensors to output tensors"},
    [SINTER_COMMAND_BENCH] = {"bench", "", "time every kernel against this machine's peak"},
    [SINTER_COMMAND_INFO] = {"info", "", "what this program is and needs"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

enum { TRAIN = 1, EVALUATE = 2, PREDICT = 4, RUN = 8, BENCH = 16, INFO = 32, ALL = 63 };

typedef enum value_kind { FLAG, TEXT, TEXTS, COUNT, POSITIVE, REAL } value_kind;

typedef struct option_record {
  const char *name, *value;
  int commands;
  value_kind kind;
  size_t field;
  const char *summary;
} option_record;

#define FIELD(member) offsetof(sinter_options, member)

static const option_record records[] = {
    {"data", "DIR", TRAIN | EVALUATE, TEXT, FIELD(data),
     "folder of IDX or .npy files, or fashion-mnist, or mnist"},
    {"split", "PART", EVALUATE, TEXT, FIELD(split), "test (default), val or train"},
    {"epochs", "N", TRAIN, POSITIVE, FIELD(epochs), "passes over the training data"},
    {"batch-size", "N", TRAIN | EVALUATE, POSITIVE, FIELD(batch_size), "samples a step"},
    {"batch", "N", BENCH, POSITIVE, FIELD(batch_size), "samples a step"},
    {"learning-rate", "X", TRAIN, REAL, FIELD(learning_rate), "of the optimizer"},
    {"seed", "N", TRAIN | EVALUATE, COUNT, FIELD(seed), "of all random numbers (default 0)"},
    {"threads", "N", ALL & ~INFO, POSITIVE, FIELD(threads), "default: one a processor"},
    {"weights", "FILE", ALL & ~INFO, TEXT, FIELD(weights), "safetensors to start from"},
    {"checkpoint", "FILE", TRAIN, TEXT, FIELD(checkpoint),
     "the best weights (PROGRAM.safetensors)"},
    {"history", "FILE", TRAIN, TEXT, FIELD(history), "a CSV row for each epoch"},
    {"resume", NULL, TRAIN, FLAG, FIELD(resume), "go on where training was interrupted"},
    {"input", "[NAME=]SPEC", RUN, TEXTS, FIELD(inputs),
     "@x.npy, SHAPExf32=V or random:SEED:SHAPE; one an input, by name or in order"},
    {"output", "[NAME=]@FILE", RUN, TEXTS, FIELD(outputs), "write an output as .npy; repeats"},
    {"expected", "[NAME=]@FILE", RUN, TEXTS, FIELD(expected),
     "compare an output with a .npy; repeats"},
    {"rtol", "X", RUN, REAL, FIELD(rtol), "relative tolerance of --expected (1e-5)"},
    {"atol", "X", RUN, REAL, FIELD(atol), "absolute tolerance of --expected (1e-5)"},
    {"top", "K", PREDICT, POSITIVE, FIELD(top), "classes to name (3)"},
    {"train", NULL, BENCH, FLAG, FIELD(train), "time training steps, not inference"},
    {"cold", NULL, BENCH, FLAG, FIELD(cold), "flush the caches before each run"},
    {"time", "SECONDS", BENCH, REAL, FIELD(time), "how long to measure (1)"},
    {"compare", "FILE", BENCH, TEXT, FIELD(compare), "set beside an earlier measurement's --json"},
    {"csv", NULL, BENCH, FLAG, FIELD(csv), "the table as CSV"},
    {"json", NULL, ALL, FLAG, FIELD(json), "machine-readable output"},
    {"quiet", NULL, TRAIN | EVALUATE, FLAG, FIELD(quiet), "no progress"},
};

#define RECORD_COUNT (sizeof records / sizeof *records)

static int usage_error(const option_record *record, const char *value, const char *expected) {
  return sinter_fail(SINTER_ERROR_USAGE, "--%s=%s: expected %s", record->name, value, expected);
}

static int parse_integer(const option_record *record, const char *value, int64_t *out) {
  const int64_t least = record->kind == POSITIVE ? 1 : 0;
  const int64_t most = record->kind == POSITIVE ? INT32_MAX : INT64_MAX;
  char *end;
  errno = 0;
  const long long parsed = strtoll(value, &end, 10);
  if (end == value || *end != '\0' || errno != 0 || parsed < least || parsed > most)
    return usage_error(record, value,
                       least == 1 ? "a whole number of at least 1" : "a whole number");
  *out = parsed;
  return SINTER_OK;
}

static int parse_real(const option_record *record, const char *value, double *out) {
  char *end;
  const double parsed = strtod(value, &end);
  if (end == value || *end != '\0' || !isfinite((float)parsed) || parsed < 0)
    return usage_error(record, value, "a number that is not negative");
  *out = parsed;
  return SINTER_OK;
}

static int append_text(const option_record *record, sinter_texts *texts, const char *value) {
  if (!*value)
    return usage_error(record, value, record->value);
  if (texts->count == SINTER_MOST_TEXTS)
    return sinter_fail(SINTER_ERROR_USAGE, "--%s can be given at most %d times", record->name,
                       SINTER_MOST_TEXTS);
  texts->values[texts->count++] = value;
  return SINTER_OK;
}

static int set_option(sinter_options *options, const option_record *record, const char *value) {
  void *field = (char *)options + record->field;
  switch (record->kind) {
  case FLAG:
    *(int *)field = 1;
    return SINTER_OK;
  case TEXT:
    if (!*value)
      return usage_error(record, value, record->value);
    *(const char **)field = value;
    return SINTER_OK;
  case TEXTS:
    return append_text(record, field, value);
  case COUNT:
  case POSITIVE:
    return parse_integer(record, value, field);
  case REAL:
    return parse_real(record, value, field);
  }
  return SINTER_OK;
}

static int find_command(sinter_options *options, const char *name) {
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    options->command = SINTER_COMMAND_HELP;
    return SINTER_OK;
  }
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
    options->command = SINTER_COMMAND_VERSION;
    return SINTER_OK;
  }
  for (size_t c = 0; c < COMMAND_COUNT; ++c) {
    if (strcmp(commands[c].name, name) == 0) {
      options->command = (sinter_command)c;
      return SINTER_OK;
    }
  }
  return sinter_fail(SINTER_ERROR_USAGE,
                     "unknown command %s: expected train, evaluate, predict, run, bench or info",
                     name);
}

enum { HELP_OPTION = 1000 }; /* above every index of records */

/* getopt's table of the command's options; `val` is the index of the record. */
static void fill_table(sinter_command command, struct option *table) {
  for (size_t r = 0; r < RECORD_COUNT; ++r)
    if (records[r].commands >> command & 1)
      *table++ = (struct option){
          records[r].name, records[r].kind == FLAG ? no_argument : required_argument, NULL, (int)r};
  *table++ = (struct option){"help", no_argument, NULL, HELP_OPTION};
  *table = (struct option){NULL, 0, NULL, 0};
}

/* `last` is what getopt read last: a long option, or before the end of a cluster of short ones. */
static int unknown_option(const char *last, const char *command) {
  if (strncmp(last, "--", 2) == 0)
    return sinter_fail(SINTER_ERROR_USAGE, "unknown option %s of %s", last, command);
  return sinter_fail(SINTER_ERROR_USAGE, "unknown option -%c of %s", optopt, command);
}

static int parse_command_options(sinter_options *options, int argc, char **argv) {
  struct option table[RECORD_COUNT + 2];
  const sinter_command command = options->command;
  fill_table(command, table);
  opterr = 0;
  optind = 0;
  for (;;) {
    const int found = getopt_long(argc, argv, ":h", table, NULL);
    if (found == -1)
      break;
    if (found == HELP_OPTION || found == 'h') {
      options->command = SINTER_COMMAND_HELP;
      options->files = argv; /* argv[0] names the command whose help is asked for */
      return SINTER_OK;
    }
    if (found == ':')
      return sinter_fail(SINTER_ERROR_USAGE, "%s needs a value", argv[optind - 1]);
    if (found == '?')
      return unknown_option(argv[optind - 1], commands[command].name);
    const int status = set_option(options, &records[found], optarg);
    if (status != SINTER_OK)
      return status;
  }
  options->files = argv + optind;
  options->file_count = argc - optind;
  return SINTER_OK;
}

static int check_combinations(const sinter_options *options) {
  const char *split = options->split;
  if (options->command == SINTER_COMMAND_PREDICT && options->file_count == 0)
    return sinter_fail(SINTER_ERROR_USAGE, "predict needs an image or a .npy file");
  if (options->command < SINTER_COMMAND_HELP && options->command != SINTER_COMMAND_PREDICT &&
      options->file_count > 0)
    return sinter_fail(SINTER_ERROR_USAGE, "unexpected argument %s of %s", options->files[0],
                       commands[options->command].name);
  if (split && strcmp(split, "test") != 0 && strcmp(split, "val") != 0 &&
      strcmp(split, "train") != 0)
    return sinter_fail(SINTER_ERROR_USAGE, "--split=%s: expected test, val or train", split);
  if (options->json && options->csv)
    return sinter_fail(SINTER_ERROR_USAGE, "--json and --csv exclude each other");
  return SINTER_OK;
}

int sinter_options_parse(sinter_options *options, int argc, char **argv) {
  const char *path = argc > 0 ? argv[0] : "";
  const char *slash = strrchr(path, '/');
  *options = (sinter_options){.program = slash ? slash + 1 : path,
                              .epochs = -1,
                              .batch_size = -1,
                              .threads = -1,
                              .top = -1,
                              .seed = -1,
                              .learning_rate = (double)NAN,
                              .rtol = (double)NAN,
                              .atol = (double)NAN,
                              .time = (double)NAN};
  if (argc < 2)
    return sinter_fail(SINTER_ERROR_USAGE,
                       "expected a command: train, evaluate, predict, run, bench or info");
  int status = find_command(options, argv[1]);
  if (status == SINTER_OK && options->command < SINTER_COMMAND_HELP)
    status = parse_command_options(options, argc - 1, argv + 1);
  return status == SINTER_OK ? check_combinations(options) : status;
}

static void print_command_help(const sinter_options *options, size_t command) {
  printf("usage: %s %s [options]%s\n\n%s\n\n", options->program, commands[command].name,
         commands[command].arguments, commands[command].summary);
  for (size_t r = 0; r < RECORD_COUNT; ++r) {
    char left[48];
    if (!(records[r].commands >> command & 1))
      continue;
    snprintf(left, sizeof left, "--%s%s%s", records[r].name, records[r].value ? "=" : "",
             records[r].value ? records[r].value : "");
    printf("  %-22s %s\n", left, records[r].summary);
  }
}

void sinter_options_print_help(const sinter_options *options, const sinter_model *model) {
  for (size_t c = 0; options->files && c < COMMAND_COUNT; ++c) {
    if (strcmp(options->files[0], commands[c].name) == 0) {
      print_command_help(options, c);
      return;
    }
  }
  printf("%s: the network %s as a program\n\nusage:\n", options->program, model->name);
  for (size_t c = 0; c < COMMAND_COUNT; ++c) {
    char left[48];
    snprintf(left, sizeof left, "%s%s", commands[c].name, commands[c].arguments);
    printf("  %s %-24s %s\n", options->program, left, commands[c].summary);
  }
  printf("\n`%s COMMAND --help` lists a command's options.\n", options->program);
}
