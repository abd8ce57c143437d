#define _GNU_SOURCE /* realpath, O_CLOEXEC */
#include "runtime/atomic_file.h"

#include "runtime/sinter_runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int out_of_memory(void) { return sinter_fail(SINTER_ERROR_MEMORY, "out of memory"); }

static int cannot(const char *verb, const char *path) {
  return sinter_fail(SINTER_ERROR_IO, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* "weights.safetensors" -> "weights.safetensors.1234.0.tmp": the process and a count make it
 * unique. */
static int open_temporary(sinter_atomic_file *file) {
  static _Atomic unsigned counter;
  const size_t bytes = strlen(file->path) + 48;
  file->temporary = malloc(bytes);
  if (!file->temporary)
    return out_of_memory();
  snprintf(file->temporary, bytes, "%s.%ld.%u.tmp", file->path, (long)getpid(),
           atomic_fetch_add(&counter, 1));
  file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return file->descriptor < 0 ? cannot("write", file->path) : SINTER_OK;
}

static void release(sinter_atomic_file *file) {
  free(file->temporary);
  free(file->path);
  *file = (sinter_atomic_file){.descriptor = -1};
}

int sinter_atomic_open(sinter_atomic_file *file, const char *path) {
  *file = (sinter_atomic_file){.descriptor = -1};
  struct stat existing;
  const int exists = stat(path, &existing) == 0;
  file->path = exists ? realpath(path, NULL) : strdup(path);
  int status = SINTER_OK;
  if (!file->path) {
    status = cannot("resolve", path);
  } else if (exists && !S_ISREG(existing.st_mode)) {
    file->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (file->descriptor < 0)
      status = cannot("write", path);
  } else if (exists && access(path, W_OK) != 0) {
    status = cannot("write", path); /* renaming would get round the file's own permissions */
  } else {
    status = open_temporary(file);
  }
  if (status != SINTER_OK)
    release(file);
  return status;
}

int sinter_atomic_write(sinter_atomic_file *file, const void *data, size_t bytes) {
  const unsigned char *from = data;
  while (bytes > 0) {
    const ssize_t written = write(file->descriptor, from, bytes);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return cannot("write", file->path);
    from += written;
    bytes -= (size_t)written;
  }
  return SINTER_OK;
}

int sinter_sync_file(const char *path) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return cannot("write", path);
  const int status = fsync(descriptor) == 0 ? SINTER_OK : cannot("write", path);
  close(descriptor);
  return status;
}

void sinter_sync_folder_of(const char *path) {
  char *copy = strdup(path);
  if (!copy)
    return;
  const int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(copy);
  if (folder >= 0) {
    fsync(folder); /* some file systems cannot: no failure */
    close(folder);
  }
}

int sinter_atomic_commit(sinter_atomic_file *file) {
  int status = SINTER_OK;
  if (file->temporary && fsync(file->descriptor) != 0)
    status = cannot("write", file->path);
  if (close(file->descriptor) != 0 && status == SINTER_OK)
    status = cannot("write", file->path);
  file->descriptor = -1;
  if (file->temporary && status == SINTER_OK) {
    if (rename(file->temporary, file->path) == 0)
      sinter_sync_folder_of(file->path);
    else
      status = cannot("replace", file->path);
  }
  if (file->temporary && status != SINTER_OK)
    unlink(file->temporary);
  release(file);
  return status;
}

void sinter_atomic_abandon(sinter_atomic_file *file) {
  if (file->descriptor >= 0)
    close(file->descriptor);
  if (file->temporary)
    unlink(file->temporary);
  release(file);
}

/* Whether `name` is base.PID.COUNT.tmp of a process that is gone. */
static int is_orphan(const char *name, const char *base) {
  const size_t length = strlen(base);
  long process;
  unsigned count;
  int end = 0;
  return strncmp(name, base, length) == 0 &&
         sscanf(name + length, ".%ld.%u.tmp%n", &process, &count, &end) == 2 && end > 0 &&
         name[length + (size_t)end] == '\0' && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

void sinter_atomic_clean(const char *path) {
  char *resolved = realpath(path, NULL); /* temporaries lie beside the file, not beside a link */
  const char *real = resolved ? resolved : path;
  char *folder_copy = strdup(real), *base_copy = strdup(real);
  DIR *folder = folder_copy && base_copy ? opendir(dirname(folder_copy)) : NULL;
  if (folder) {
    const char *base = basename(base_copy);
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
      if (is_orphan(entry->d_name, base))
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
  }
  free(folder_copy);
  free(base_copy);
  free(resolved);
}

int sinter_write_file(const char *path, const void *data, size_t bytes) {
  sinter_atomic_file file;
  int status = sinter_atomic_open(&file, path);
  if (status != SINTER_OK)
    return status;
  status = sinter_atomic_write(&file, data, bytes);
  if (status == SINTER_OK)
    return sinter_atomic_commit(&file);
  sinter_atomic_abandon(&file);
  return status;
}
