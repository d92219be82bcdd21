/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259) as an arena tree that keeps number literals digit for digit, because FHIR decimals
 * must keep their digits. Strict: UTF-8 only, no duplicate keys, no unpaired surrogates, no NUL, no
 * trailing bytes, bounded depth (LIMIT_JSON_DEPTH). Members keep their order.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    uint32_t count;     /* children of an array or object */
    struct slice key;   /* decoded name, when this is an object's member */
    struct slice text;  /* string: decoded UTF-8; number: the literal as written */
    struct json *first; /* children, in order */
    struct json *last;
    struct json *next;  /* next sibling */
    size_t at;          /* byte offset in the input where this value begins; 0 when built */
};

/* Where and why a parse failed. */
struct json_fault {
    size_t offset;
    unsigned line;   /* 1-based */
    unsigned column; /* 1-based, in bytes */
    const char *en;  /* static text */
    const char *ja;
};

/* Parses all of INPUT into ARENA. ERR_MALFORMED (fault filled), ERR_TOO_DEEP or ERR_LIMIT. Strings of
 * the tree may point into INPUT: it must live as long as the tree. */
enum err json_parse(struct arena *arena, struct slice input, struct json **ret_root,
                    struct json_fault *ret_fault) ERR_CHECKED;

/* Prints compactly, strings escaped minimally (", \, control characters). */
void json_print(struct buf *out, const struct json *value);
/* The same over many lines, each level indented by two spaces. */
void json_print_pretty(struct buf *out, const struct json *value);
/* Prints a string literal with its quotes. */
void json_print_string(struct buf *out, struct slice text);

/* The member named KEY, or NULL; NULL also when OBJECT is NULL or not an object. */
struct json *json_get(const struct json *object, const char *key);
struct json *json_get_slice(const struct json *object, struct slice key);
/* The text of a string member; {NULL,0} when absent or not a string. */
struct slice json_str(const struct json *object, const char *key);
/* Follows member names and array positions: json_path(p, "name", "0", "family", NULL). */
struct json *json_path(const struct json *value, ...) __attribute__((sentinel));
/* Item N of an array, or NULL. */
struct json *json_at(const struct json *array, uint32_t n);
bool json_is_true(const struct json *value);

/* Builders. All values live in ARENA and return NULL when it is full; all accept NULL parents and
 * NULL values and then do nothing and return NULL, so that a chain needs one check (arena_exhausted)
 * at its end. Slices are NOT copied. Keys must be literals or live as long as the arena. */
struct json *json_new(struct arena *arena, enum json_kind kind);
struct json *json_string(struct arena *arena, struct slice text);
struct json *json_number(struct arena *arena, struct slice literal);
struct json *json_int(struct arena *arena, int64_t value);
/* Adds (or replaces) a member and returns VALUE, which must be in no tree yet (asserted as far as it
 * shows): move one with json_remove first, or add a json_clone. The same holds for json_push. */
struct json *json_set(struct json *object, const char *key, struct json *value);
/* The same for a name that is no literal; it must live as long as the tree. */
struct json *json_set_slice(struct json *object, struct slice key, struct json *value);
/* Appends to an array and returns VALUE. */
struct json *json_push(struct json *array, struct json *value);
/* Puts VALUE before item N of an array (behind the last when N is the count) and returns it. */
struct json *json_insert(struct json *array, uint32_t n, struct json *value);
/* Shorthands: make a child and add it. put_str adds nothing for an empty slice. */
struct json *json_put_object(struct arena *arena, struct json *object, const char *key);
struct json *json_put_array(struct arena *arena, struct json *object, const char *key);
struct json *json_put_str(struct arena *arena, struct json *object, const char *key,
                          struct slice text);
struct json *json_put_text(struct arena *arena, struct json *object, const char *key,
                           const char *text);
struct json *json_put_bool(struct arena *arena, struct json *object, const char *key, bool value);
struct json *json_put_int(struct arena *arena, struct json *object, const char *key, int64_t value);
struct json *json_push_object(struct arena *arena, struct json *array);
/* Takes a member out; true if it was there. */
bool json_remove(struct json *object, const char *key);
/* Takes CHILD out of its object or array; it may then get another place. */
void json_detach(struct json *parent, struct json *child);
/* A deep copy whose strings still point to the original's bytes. */
struct json *json_clone(struct arena *arena, const struct json *value);
/* Same kinds, texts and children; members in any order, items in the same, numbers digit for digit. */
bool json_equal(const struct json *a, const struct json *b);

#endif
