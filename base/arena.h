/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of one request: allocate and forget, capped, wiped and freed at the end. Nothing in it
 * outlives the answer. Not thread-safe: an arena belongs to whoever holds the request at the
 * moment.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/err.h"
#include "base/slice.h"

struct arena;

/* An arena that will hand out at most MAX bytes; NULL when memory is out. */
struct arena *arena_new(size_t max);
/* Wipes and frees everything handed out. NULL is fine. */
void arena_free(struct arena *a);
/* SIZE bytes, zeroed, aligned for any type; NULL when the cap or memory is reached. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc));
/* COUNT x SIZE bytes, zeroed; NULL also on overflow of the product. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy, followed by one NUL that is not counted. {NULL,0} when memory is out and s.len > 0. */
struct slice arena_dup(struct arena *a, struct slice s);
/* A NUL-terminated copy; NULL when memory is out. */
char *arena_str(struct arena *a, struct slice s);
/* Formats into the arena; NULL when memory is out. */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* COUNT parts as one text, followed by a NUL that is not counted: what %s%s would give, at the
 * price of the copy. {NULL,0} when memory is out. */
struct slice arena_join(struct arena *a, const struct slice *parts, size_t count);
#define ARENA_JOIN(arena, ...)                                                                     \
    arena_join((arena), (const struct slice[]){__VA_ARGS__},                                       \
               sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);
/* True once an allocation was refused: a parse that ended early must say ERR_LIMIT. */
bool arena_exhausted(const struct arena *a);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
