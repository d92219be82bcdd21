/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a path of the standard storage (guide section 1.2) part by part. The rule has no escape for
 * '_' or '/', so anything beyond letters, digits and '-' refuses the whole path before it is cut;
 * then nothing in it can point elsewhere. A path is never repaired: a file under a wrong name waits
 * where people see it.
 */
#include "mappers/ssmix2/path.h"

#include "base/limits.h"
#include "base/when.h"

#include <assert.h>

#include "base/banned.h"

#define FOLDERS 6u /* ID[0:3], ID[3:6], ID, date, kind, file */
#define PARTS 7u

enum part { PART_ID, PART_DATE, PART_KIND, PART_ORDER, PART_SENT, PART_DEPARTMENT, PART_FLAG };

struct reading {
    struct err_list *errors;
    struct slice folders[FOLDERS];
    struct slice parts[PARTS];
};

static enum err refuse(struct err_list *errors, const char *place, const char *en, const char *ja)
{
    return err_say(errors, ERR_SEVERITY_ERROR, ERR_INVALID, place, en, ja);
}

static void warn(struct err_list *errors, const char *place, const char *en, const char *ja)
{
    (void)err_say(errors, ERR_SEVERITY_WARNING, ERR_INVALID, place, en, ja);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all(struct slice s, bool (*test)(char c))
{
    for (size_t i = 0; i < s.len; i++) {
        if (!test(s.ptr[i]))
            return false;
    }
    return true;
}

/* ---- cutting ---- */

static enum err check_bytes(struct slice path, struct err_list *errors)
{
    if (path.len > LIMIT_SSMIX2_PATH)
        return refuse(errors, "path", "the path is too long", "パスが長すぎます");
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (!is_alnum(c) && c != '-' && c != '_' && c != '/')
            return refuse(errors, "path",
                          "only half-width letters, digits, '-' and '_' may stand in the path",
                          "パスに使えるのは半角英数字と '-' '_' だけです");
    }
    return ERR_OK;
}

/* Cuts TEXT into exactly COUNT parts, none of them empty. */
static bool cut(struct slice text, char separator, struct slice *ret_parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!text.ptr)
            return false;
        ret_parts[i] = slice_cut(&text, separator);
        if (ret_parts[i].len == 0)
            return false;
    }
    return text.ptr == NULL;
}

static enum err cut_path(struct reading *r, struct slice path)
{
    enum err err = check_bytes(path, r->errors);

    if (err != ERR_OK)
        return err;
    if (!cut(path, '/', r->folders, FOLDERS))
        return refuse(
            r->errors, "path", "the path must be ID[0:3]/ID[3:6]/ID/date/kind/file",
            "パスは ID先頭3桁/ID4〜6桁/患者ID/診療日/データ種別/ファイル でなければなりません");
    if (!cut(r->folders[FOLDERS - 1], '_', r->parts, PARTS))
        return refuse(r->errors, "file", "the file name must have 7 parts separated by '_'",
                      "ファイル名は '_' で区切った 7 つの部分でなければなりません");
    return ERR_OK;
}

/* ---- parts ---- */

static enum err check_id(const struct reading *r)
{
    struct slice id = r->parts[PART_ID];

    if (id.len < 4 || id.len > 15 || !all(id, is_alnum))
        return refuse(r->errors, "patient-id",
                      "the patient id must be 4 to 15 half-width letters or digits",
                      "患者IDは 4〜15 桁の半角英数字でなければなりません");
    if (!slice_eq(r->folders[0], slice_sub(id, 0, 3)) ||
        !slice_eq(r->folders[1], slice_sub(id, 3, 3)) || !slice_eq(r->folders[2], id))
        return refuse(r->errors, "patient-id",
                      "the folders and the file name name different patients",
                      "フォルダーとファイル名の患者IDが一致しません");
    return ERR_OK;
}

static const struct ssmix2_kind *kind_of(struct slice code)
{
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        if (slice_is(code, k->code))
            return k;
    }
    return NULL;
}

static enum err check_kind(const struct reading *r)
{
    if (!slice_eq(r->parts[PART_KIND], r->folders[4]))
        return refuse(r->errors, "kind",
                      "the folder and the file name name different kinds of data",
                      "フォルダーとファイル名のデータ種別が一致しません");
    if (!kind_of(r->parts[PART_KIND]))
        return refuse(r->errors, "kind", "this kind of data is not known",
                      "知らないデータ種別です");
    return ERR_OK;
}

static enum err check_date(const struct reading *r)
{
    struct slice date = r->parts[PART_DATE];
    const struct ssmix2_kind *kind = kind_of(r->parts[PART_KIND]);
    bool none = slice_is(date, "-");
    struct when when;

    if (!slice_eq(date, r->folders[3]))
        return refuse(r->errors, "care-date",
                      "the folder and the file name name different care dates",
                      "フォルダーとファイル名の診療日が一致しません");
    if (!none && (date.len != 8 || !all(date, is_digit) || !when_parse_hl7(date, &when)))
        return refuse(r->errors, "care-date", "the care date must be YYYYMMDD or '-'",
                      "診療日は YYYYMMDD か '-' でなければなりません");
    if (kind && none != (kind->care_date[0] == '-'))
        return refuse(r->errors, "care-date",
                      none ? "this kind of data needs a care date"
                           : "this kind of data has no care date",
                      none ? "このデータ種別には診療日が必要です"
                           : "このデータ種別の診療日は '-' でなければなりません");
    return ERR_OK;
}

static enum err check_order(const struct reading *r)
{
    struct slice order = r->parts[PART_ORDER];

    if (order.len > 15 || !all(order, is_digit))
        return refuse(r->errors, "order-no", "the order number must be up to 15 digits",
                      "オーダ番号は 15 桁以内の数字でなければなりません");
    if (order.len != 15)
        warn(r->errors, "order-no", "the order number has fewer than 15 digits",
             "オーダ番号が 15 桁ではありません");
    return ERR_OK;
}

static enum err check_sent(const struct reading *r)
{
    struct slice sent = r->parts[PART_SENT];
    struct when when;

    if (sent.len < 15 || sent.len > 17 || !all(sent, is_digit) ||
        !when_parse_hl7(slice_sub(sent, 0, 14), &when))
        return refuse(r->errors, "sent-at", "the time of sending must be YYYYMMDDHHMMSSFFF",
                      "発生日時は YYYYMMDDHHMMSSFFF でなければなりません");
    if (sent.len != 17)
        warn(r->errors, "sent-at", "the time of sending has fewer than 17 digits",
             "発生日時が 17 桁ではありません");
    return ERR_OK;
}

static enum err check_department(const struct reading *r)
{
    struct slice department = r->parts[PART_DEPARTMENT];

    if (slice_is(department, "-"))
        return ERR_OK;
    if (department.len > 5 || !all(department, is_alnum))
        return refuse(r->errors, "department",
                      "the department must be '-' or up to 5 letters or digits",
                      "診療科コードは '-' か 5 桁以内の英数字でなければなりません");
    if (department.len < 2 || department.len > 3)
        warn(r->errors, "department", "the department code does not have 2 or 3 characters",
             "診療科コードが 2〜3 桁ではありません");
    return ERR_OK;
}

static enum err check_flag(const struct reading *r)
{
    struct slice flag = r->parts[PART_FLAG];

    if (flag.len != 1 || flag.ptr[0] < '0' || flag.ptr[0] > '2')
        return refuse(r->errors, "flag", "the condition flag must be 0, 1 or 2",
                      "コンディションフラグは 0、1、2 のいずれかでなければなりません");
    return ERR_OK;
}

enum err ssmix2_parse(struct slice path, struct err_list *errors, struct ssmix2_path *ret_path)
{
    static enum err (*const checks[])(const struct reading *r) = {
        check_id, check_kind, check_date, check_order, check_sent, check_department, check_flag};
    struct reading r = {.errors = errors};

    assert(errors && ret_path);
    enum err first = cut_path(&r, path);
    if (first != ERR_OK)
        return first;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        enum err err = checks[i](&r);
        first = first == ERR_OK ? err : first;
    }
    if (first != ERR_OK)
        return first;
    *ret_path = (struct ssmix2_path){.patient_id = r.parts[PART_ID],
                                     .care_date = r.parts[PART_DATE],
                                     .kind = r.parts[PART_KIND],
                                     .order_no = r.parts[PART_ORDER],
                                     .sent_at = r.parts[PART_SENT],
                                     .department = r.parts[PART_DEPARTMENT],
                                     .flag = (enum ssmix2_flag)(r.parts[PART_FLAG].ptr[0] - '0')};
    return ERR_OK;
}

/* ---- path against content ---- */

/* Does every patient identifier of PID (type PI or none) equal ID, and is there one? */
static bool names_patient(const struct hl7_message *m, const struct hl7_segment *pid,
                          struct slice id)
{
    struct slice rest = hl7_field(pid, 3);
    unsigned seen = 0;

    while (rest.ptr) {
        struct slice repeat = slice_cut(&rest, m->delimiters.repeat);
        struct slice type = hl7_component(m, repeat, 5);
        struct slice value = slice_trim(hl7_unescape(m, hl7_component(m, repeat, 1)));
        if (value.len == 0 || (type.len > 0 && !slice_is(type, "PI")))
            continue;
        if (!slice_eq(value, id))
            return false;
        seen++;
    }
    return seen > 0;
}

enum err ssmix2_agree_patient(struct slice patient_id, const struct hl7_message *m,
                              struct err_list *errors)
{
    for (size_t i = 0; i < m->segment_count; i++) {
        const struct hl7_segment *s = &m->segments[i];
        bool bare = s->ordinal > 1 && s->field_count == 1; /* names nobody */
        if (!slice_is(s->name, "PID") || bare || names_patient(m, s, patient_id))
            continue;
        const char *place = arena_printf(m->arena, "PID[%u]-3.1", s->ordinal);
        return err_say(errors, ERR_SEVERITY_ERROR, ERR_PATIENT_MISMATCH, place ? place : "",
                       "the path and PID-3 name different patients",
                       "パスと PID-3 の患者IDが一致しません");
    }
    if (!hl7_find(m, "PID", 1))
        return err_say(errors, ERR_SEVERITY_ERROR, ERR_PATIENT_MISMATCH, "PID[1]",
                       "the message does not say whose it is, so the path cannot be confirmed",
                       "PID がなく、パスの患者IDを確認できません");
    return ERR_OK;
}

static enum err agree_kind(const struct ssmix2_path *path, const struct hl7_message *m,
                           struct err_list *errors)
{
    const struct ssmix2_kind *kind = kind_of(path->kind);
    struct hl7_header h;

    assert(kind); /* ssmix2_parse checked it */
    hl7_header_of(m, &h);
    const char *text = arena_printf(m->arena, "%.*s^%.*s", SLICE_ARG(h.type), SLICE_ARG(h.trigger));
    struct slice message = slice_str(text);
    if (slice_is(message, kind->insert) || (kind->cancel && slice_is(message, kind->cancel)))
        return ERR_OK;
    return err_add(errors, ERR_INVALID, "MSH[1]-9", "%s <> %s", text ? text : "", kind->code);
}

enum err ssmix2_agree(const struct ssmix2_path *path, const struct hl7_message *message,
                      struct err_list *errors)
{
    assert(path && message && errors);
    enum err patient = ssmix2_agree_patient(path->patient_id, message, errors);
    enum err kind = agree_kind(path, message, errors);
    return patient != ERR_OK ? patient : kind;
}

bool ssmix2_is_aside(struct slice path)
{
    return slice_starts(path, SLICE("SSMIXIDX")) || slice_starts(path, SLICE("rejected/"));
}
