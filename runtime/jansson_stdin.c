/* What stands for `stdin` in the merged jansson. Distributions build libjansson.a for executables
 * only: its one reference to libc's data, a check in json_loadf, which the runtime never calls,
 * cannot be linked into a shared library. The build renames it to this. */
#include <stdio.h>

extern FILE *const sinter_jansson_stdin;
FILE *const sinter_jansson_stdin = NULL;
