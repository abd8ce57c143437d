/* A file that appears whole or not at all: written beside its place under a temporary name,
 * fsync'ed, renamed over it, and the folder fsync'ed, so that a kill or a power cut at any moment
 * leaves the old file or the new one. What is no regular file (a pipe, /dev/stdout) is written
 * straight.
 */
#pragma once

#include <stddef.h>

typedef struct sinter_atomic_file {
  int descriptor;
  char *path;      /* the final name, symbolic links resolved */
  char *temporary; /* NULL when written straight */
} sinter_atomic_file;

/* All return a sinter_status; after a failure of write the caller still abandons. */
int sinter_atomic_open(sinter_atomic_file *file, const char *path);
int sinter_atomic_write(sinter_atomic_file *file, const void *data, size_t bytes);
int sinter_atomic_commit(sinter_atomic_file *file); /* closes; removes the temporary on failure */
void sinter_atomic_abandon(sinter_atomic_file *file);

/* Removes temporaries of `path` whose writer was killed. */
void sinter_atomic_clean(const char *path);

/* A whole file at once. */
int sinter_write_file(const char *path, const void *data, size_t bytes);

/* The steps of a commit, for files that others have written: the content of `path`, and the names
 * in its folder, made durable. */
int sinter_sync_file(const char *path);
void sinter_sync_folder_of(const char *path);
