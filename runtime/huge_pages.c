#define _DEFAULT_SOURCE /* madvise */
#include "runtime/huge_pages.h"

#include "runtime/sinter_runtime.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)1 << 21) /* of x86-64 */

size_t sinter_page_alignment(size_t bytes) {
  return bytes >= HUGE_PAGE ? HUGE_PAGE : SINTER_ALIGNMENT;
}

void sinter_use_huge_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  const uintptr_t begin = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  const uintptr_t end = ((uintptr_t)memory + bytes) & ~(HUGE_PAGE - 1);
  if (begin < end)
    madvise((void *)begin, end - begin, MADV_HUGEPAGE); /* advice: a refusal changes nothing */
#else
  (void)memory;
  (void)bytes;
#endif
}
