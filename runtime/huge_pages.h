/* Large pages for large memory. Weights are streamed once an inference: with pages of 4 KB the
 * processor's prefetcher stops at the end of each, and the tables that translate their addresses
 * outgrow its caches. */
#ifndef SINTER_HUGE_PAGES_H
#define SINTER_HUGE_PAGES_H

#include <stddef.h>

/* The alignment from which memory of this size can have large pages throughout; at least
 * SINTER_ALIGNMENT. */
size_t sinter_page_alignment(size_t bytes);
/* Asks for large pages in memory not yet touched; nothing happens where there are none. */
void sinter_use_huge_pages(void *memory, size_t bytes);

#endif
