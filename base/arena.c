/* SPDX-License-Identifier: Apache-2.0
 *
 * The arena: chunks that double from 4 KiB to 256 KiB, a pointer that moves up, and one free at the
 * end. Large allocations get a chunk of their own, so that they waste nothing. Everything is wiped
 * before it goes back, because it held patients' data. Under AddressSanitizer every allocation is a
 * chunk of its own and of its exact size, so that a write past one is seen.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_LARGEST ((size_t)256 * 1024)
#define ALIGN alignof(max_align_t)

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EVERY_CHUNK_OWN true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define EVERY_CHUNK_OWN true
#endif
#ifndef EVERY_CHUNK_OWN
#define EVERY_CHUNK_OWN false
#endif

struct chunk {
    struct chunk *next;
    size_t size; /* of bytes */
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *current; /* allocations move up in this one; NULL at first */
    struct chunk *others;  /* full ones and single large allocations */
    size_t at;             /* next free byte of current */
    size_t next_size;
    size_t used;
    size_t max;
    bool exhausted;
};

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

struct arena *arena_new(size_t max)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->next_size = CHUNK_FIRST;
    a->max = max > SIZE_MAX - ALIGN ? SIZE_MAX / ALIGN * ALIGN : round_up(max);
    return a;
}

static void free_chunks(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;
        explicit_bzero(c->bytes, c->size);
        free(c);
        c = next;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    free_chunks(a->current);
    free_chunks(a->others);
    free(a);
}

static struct chunk *chunk_new(size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    struct chunk *c = malloc(sizeof(*c) + size);
    if (c) {
        c->next = NULL;
        c->size = size;
    }
    return c;
}

static void *alloc_own(struct arena *a, size_t size)
{
    struct chunk *c = chunk_new(size);
    if (!c)
        return NULL;
    c->next = a->others;
    a->others = c;
    return c->bytes;
}

static void *alloc_in_chunk(struct arena *a, size_t size)
{
    if (!a->current || a->current->size - a->at < size) {
        struct chunk *c = chunk_new(a->next_size);
        if (!c)
            return NULL;
        if (a->current) {
            a->current->next = a->others;
            a->others = a->current;
        }
        a->current = c;
        a->at = 0;
        if (a->next_size < CHUNK_LARGEST)
            a->next_size *= 2;
    }
    void *ptr = a->current->bytes + a->at;
    a->at += size;
    return ptr;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size == 0)
        size = 1;
    if (size > a->max || round_up(size) > a->max - a->used) {
        a->exhausted = true;
        return NULL;
    }
    size_t rounded = round_up(size);
    bool own = EVERY_CHUNK_OWN || rounded > a->next_size / 4;
    void *ptr = own ? alloc_own(a, size) : alloc_in_chunk(a, rounded);
    if (!ptr) {
        a->exhausted = true;
        return NULL;
    }
    a->used += rounded;
    return memset(ptr, 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

char *arena_str(struct arena *a, struct slice s)
{
    if (s.len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(a, s.len + 1);
    if (copy && s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *copy = arena_str(a, s);
    if (!copy)
        return SLICE_NONE;
    return slice_of(copy, s.len);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    char *text = arena_alloc(a, (size_t)len + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

bool arena_exhausted(const struct arena *a)
{
    return a->exhausted;
}
