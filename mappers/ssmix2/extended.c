/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of the extended storage (see extended.h). Names may hold anything but what could lead
 * elsewhere, so a content folder is read from both ends: its kind, in the middle, may contain '_'.
 */
#include "mappers/ssmix2/extended.h"

#include <assert.h>

#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

#define FOLDERS 6u /* before the file: ID[0:3], ID[3:6], ID, date, kind, content */

static enum err refuse(struct err_list *errors, const char *place, const char *en, const char *ja)
{
    return err_say(errors, ERR_SEVERITY_ERROR, ERR_INVALID, place, en, ja);
}

bool extended_is(struct slice path)
{
    size_t slashes = 0;

    for (size_t i = 0; i < path.len; i++)
        slashes += path.ptr[i] == '/';
    return slashes >= FOLDERS;
}

/* ---- characters ---- */

/* The composed form of the kana U+30xx (hiragana and katakana lie 0x60 apart) with a mark; 0: none.
 */
static unsigned composed(unsigned kana, bool voiced)
{
    unsigned k = kana >= 0x30A1 ? kana - 0x60 : kana;
    bool voices = (k >= 0x304B && k <= 0x3062 && (k % 2) == 1) ||
                  (k >= 0x3064 && k <= 0x3069 && (k % 2) == 0);
    bool bilabial = k >= 0x306F && k <= 0x307D && (k - 0x306F) % 3 == 0;

    if (voiced && kana == 0x30A6)
        return 0x30F4;
    if (voiced && (voices || bilabial))
        return kana + 1;
    return !voiced && bilabial ? kana + 2 : 0;
}

struct slice extended_compose(struct arena *arena, struct slice text)
{
    unsigned char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        const unsigned char *p = (const unsigned char *)text.ptr + i;
        bool mark = len >= 3 && text.len - i >= 3 && p[0] == 0xE3 && p[1] == 0x82 &&
                    (p[2] == 0x99 || p[2] == 0x9A);
        unsigned kana = 0, whole = 0;
        if (mark && out[len - 3] == 0xE3)
            kana = 0x3000u | (out[len - 2] & 0x3Fu) << 6 | (out[len - 1] & 0x3Fu);
        if (kana >= 0x3041)
            whole = composed(kana, p[2] == 0x99);
        if (whole == 0) {
            out[len++] = p[0];
            continue;
        }
        out[len - 2] = (unsigned char)(0x80 | (whole >> 6 & 0x3F));
        out[len - 1] = (unsigned char)(0x80 | (whole & 0x3F));
        i += 2;
    }
    return slice_of(out, out ? len : 0);
}

static enum err check_bytes(struct slice path, struct err_list *errors)
{
    if (path.len > LIMIT_SSMIX2_PATH)
        return refuse(errors, "path", "the path is too long", "パスが長すぎます");
    if (!slice_is_utf8(path))
        return refuse(errors, "path", "the path is not UTF-8", "パスが UTF-8 ではありません");
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x20 || c == 0x7F || c == '\\')
            return refuse(errors, "path", "a control character or backslash stands in the path",
                          "パスに制御文字か円記号（\\）があります");
    }
    return ERR_OK;
}

/* ---- parts ---- */

static bool is_digits(struct slice s, size_t least, size_t most)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len >= least && s.len <= most;
}

static bool is_patient_id(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return s.len >= 4 && s.len <= 15;
}

/* The part behind the last '_' of *REST, taken off; empty when there is none. */
static struct slice cut_last(struct slice *rest)
{
    size_t at = rest->len;

    while (at > 0 && rest->ptr[at - 1] != '_')
        at--;
    if (at == 0)
        return SLICE_NONE;
    struct slice part = slice_sub(*rest, at, rest->len);
    *rest = slice_sub(*rest, 0, at - 1);
    return part;
}

/* From behind: flag, department (some leave it out), time of sending, key. */
static enum err read_content(struct extended_path *p, struct err_list *errors)
{
    struct slice rest = p->content, flag = cut_last(&rest), last = cut_last(&rest);
    struct slice id = slice_cut(&rest, '_'), date = slice_cut(&rest, '_');

    if (flag.len != 1 || flag.ptr[0] < '0' || flag.ptr[0] > '2')
        return refuse(errors, "flag", "the condition flag must be 0, 1 or 2",
                      "コンディションフラグは 0、1、2 のいずれかでなければなりません");
    p->flag = (enum ssmix2_flag)(flag.ptr[0] - '0');
    p->sent_at = last;
    if (!is_digits(last, 14, 17)) {
        p->department = last;
        p->sent_at = cut_last(&rest);
    }
    if (!is_digits(p->sent_at, 14, 17))
        return refuse(errors, "sent-at", "the time of sending must be YYYYMMDDHHMMSSFFF",
                      "発生日時は YYYYMMDDHHMMSSFFF でなければなりません");
    p->key = cut_last(&rest);
    if (p->key.len == 0 || rest.len == 0)
        return refuse(errors, "content",
                      "the content folder must be ID_date_kind_key_time_department_flag",
                      "コンテンツフォルダー名の形式が不正です");
    if (!slice_eq(id, p->patient_id))
        return refuse(errors, "patient-id", "the folders name different patients",
                      "フォルダーの患者IDが一致しません");
    if (!slice_eq(date, p->care_date))
        return refuse(errors, "care-date", "the folders name different care dates",
                      "フォルダーの診療日が一致しません");
    return ERR_OK;
}

static enum err read_folders(struct arena *arena, struct slice path, struct err_list *errors,
                             struct extended_path *p)
{
    struct slice first = slice_cut(&path, '/'), second = slice_cut(&path, '/');
    struct slice kind;

    p->patient_id = slice_cut(&path, '/');
    p->care_date = slice_cut(&path, '/');
    kind = extended_compose(arena, slice_cut(&path, '/'));
    p->content = extended_compose(arena, slice_cut(&path, '/'));
    p->file = extended_compose(arena, path);
    for (size_t i = 0; i < 6 && kind.ptr; i++)
        p->kind[i] = slice_trim(slice_cut(&kind, '^'));
    if (!is_patient_id(p->patient_id) || !slice_eq(first, slice_sub(p->patient_id, 0, 3)) ||
        !slice_eq(second, slice_sub(p->patient_id, 3, 3)))
        return refuse(errors, "patient-id", "the folders of the patient id do not agree",
                      "患者IDのフォルダーが一致しません");
    struct when when;
    if (!slice_is(p->care_date, "-") &&
        (!is_digits(p->care_date, 8, 8) || !when_parse_hl7(p->care_date, &when)))
        return refuse(errors, "care-date", "the care date must be YYYYMMDD or '-'",
                      "診療日は YYYYMMDD か '-' でなければなりません");
    if (kind.ptr || p->content.len == 0 || p->file.len == 0)
        return refuse(errors, "kind", "the kind folder has more than six names",
                      "データ種別フォルダーの名前は 6 つまでです");
    return ERR_OK;
}

bool extended_is_main(const struct extended_path *path)
{
    return slice_starts(path->file, SLICE("main_document"));
}

enum err extended_parse(struct arena *arena, struct slice path, struct err_list *errors,
                        struct extended_path *ret_path)
{
    struct extended_path p = {.as_found = path};
    enum err err = check_bytes(path, errors);

    assert(arena && errors && ret_path);
    if (err == ERR_OK && !extended_is(path))
        err =
            refuse(errors, "path", "the path has too few folders", "パスのフォルダーが足りません");
    if (err == ERR_OK)
        err = read_folders(arena, path, errors, &p);
    if (err == ERR_OK)
        err = read_content(&p, errors);
    if (err == ERR_OK)
        *ret_path = p;
    return err;
}
