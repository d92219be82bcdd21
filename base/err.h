/* SPDX-License-Identifier: Apache-2.0
 *
 * The one error table. Every refusal anywhere in Tasuki is one of these codes; foreign codes
 * (UV_, SQLITE_, SSL, xml) are converted where the foreign library is called and never travel.
 * Columns: name, HTTP status, HL7 acknowledgement code (MSA-1), HL7 table 0357 code (ERR-3),
 * FHIR issue code, text in English, text in Japanese.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

#define ERR_TABLE(X)                                                                               \
    X(ERR_MALFORMED, 400, "AR", "100", "structure", "the input is malformed", "入力の形式が不正です")     \
    X(ERR_INVALID, 422, "AE", "102", "invalid", "a value is not allowed here", "値が不正です")          \
    X(ERR_REQUIRED, 422, "AE", "101", "required", "a required element is missing",                 \
      "必須の項目がありません")                                                                         \
    X(ERR_UNKNOWN_ELEMENT, 422, "AE", "102", "structure", "the element is not known here",         \
      "この場所では使えない項目です")                                                                    \
    X(ERR_UNKNOWN_PARAM, 400, "AE", "102", "not-supported", "the parameter is not supported",      \
      "対応していないパラメーターです")                                                                   \
    X(ERR_BAD_PARAM, 400, "AE", "102", "value", "the parameter's value is not valid",              \
      "パラメーターの値が不正です")                                                                     \
    X(ERR_BAD_HEADER, 400, "AR", "102", "value", "a request header's value is not valid",          \
      "要求ヘッダーの値が不正です")                                                                     \
    X(ERR_TOO_LARGE, 413, "AR", "207", "too-long", "the input is larger than allowed",             \
      "入力が大きすぎます")                                                                           \
    X(ERR_TOO_DEEP, 400, "AR", "207", "too-costly", "the input is nested too deeply",              \
      "入力の入れ子が深すぎます")                                                                      \
    X(ERR_CHARSET, 400, "AR", "102", "structure", "the character set is unknown or violated",      \
      "文字コードが不明か、規則に反しています")                                                             \
    X(ERR_MEDIA_TYPE, 415, "AR", "207", "not-supported", "the content type is not supported",      \
      "この Content-Type には対応していません")                                                          \
    X(ERR_NOT_ACCEPTABLE, 406, "AR", "207", "not-supported", "no offered format is acceptable",    \
      "要求された形式では答えられません")                                                                 \
    X(ERR_METHOD, 405, "AR", "207", "not-supported", "the method is not supported here",           \
      "このメソッドには対応していません")                                                                 \
    X(ERR_NOT_SUPPORTED, 501, "AR", "200", "not-supported", "this is not supported",               \
      "対応していない機能です")                                                                        \
    X(ERR_UNKNOWN_TYPE, 404, "AR", "200", "not-supported", "the type is not known",                \
      "知らない種別です")                                                                             \
    X(ERR_VERSION, 400, "AR", "203", "not-supported", "the version is not supported",              \
      "対応していないバージョンです")                                                                   \
    X(ERR_CONTROL_ID_REUSED, 409, "AR", "205", "duplicate",                                        \
      "the message control id was used before with other content",                                 \
      "同じメッセージ制御IDが別の内容で使われています")                                                     \
    X(ERR_UNAUTHENTICATED, 401, "AR", "207", "login", "the caller is not known",                   \
      "呼び出し元を確認できません")                                                                     \
    X(ERR_CERT_UNREGISTERED, 401, "AR", "207", "login", "the client certificate is not registered", \
      "クライアント証明書が登録されていません")                                                             \
    X(ERR_CERT_REVOKED, 401, "AR", "207", "login", "the client certificate is revoked",            \
      "クライアント証明書は失効しています")                                                              \
    X(ERR_FORBIDDEN, 403, "AR", "207", "forbidden", "this caller may not do this",                 \
      "この操作は許可されていません")                                                                   \
    X(ERR_EMERGENCY_FORBIDDEN, 403, "AR", "207", "forbidden",                                      \
      "the resident does not allow emergency access", "本人が緊急時の閲覧を許可していません")                 \
    X(ERR_NOT_FOUND, 404, "AE", "204", "not-found", "not found", "見つかりません")                    \
    X(ERR_GONE, 410, "AE", "204", "deleted", "it was deleted", "削除されています")                     \
    X(ERR_CONFLICT, 409, "AE", "205", "conflict", "it conflicts with what is stored",              \
      "保存済みの内容と矛盾します")                                                                     \
    X(ERR_PRECONDITION, 412, "AE", "207", "conflict", "the stated version is not the current one", \
      "指定された版が最新ではありません")                                                                \
    X(ERR_PATIENT_UNKNOWN, 422, "AE", "204", "not-found", "the patient is not known",              \
      "該当する患者がいません")                                                                        \
    X(ERR_PATIENT_MISMATCH, 422, "AE", "204", "conflict",                                          \
      "the input names two different patients", "入力中の患者が一致しません")                              \
    X(ERR_IMPLAUSIBLE, 422, "AE", "103", "value", "the value is outside plausible limits",         \
      "値があり得る範囲を外れています")                                                                 \
    X(ERR_UNAVAILABLE, 503, "AR", "207", "transient", "the store is not available",                \
      "保存領域が利用できません")                                                                      \
    X(ERR_BUSY, 503, "AR", "207", "throttled", "too busy, try again later",                        \
      "混み合っています。後で再試行してください")                                                          \
    X(ERR_TIMEOUT, 408, "AR", "207", "timeout", "it took too long", "時間切れです")                   \
    X(ERR_LIMIT, 503, "AR", "207", "too-costly", "a limit of the program was reached",             \
      "プログラムの上限に達しました")                                                                   \
    X(ERR_IO, 500, "AR", "207", "exception", "reading or writing failed", "読み書きに失敗しました")      \
    X(ERR_INTERNAL, 500, "AR", "207", "exception", "an internal error", "内部エラーです")           \
    X(ERR_INVARIANT, 422, "AE", "102", "invariant", "a rule of the standard is broken",            \
      "標準の規則に反しています")                                                                       \
    X(ERR_HEADER_MISSING, 400, "AR", "101", "required", "a field of the header is missing",        \
      "ヘッダーの必須項目がありません")                                                                  \
    X(ERR_HEADER_VALUE, 400, "AR", "102", "value", "a field of the header is not allowed",         \
      "ヘッダーの値が不正です")                                                                        \
    X(ERR_UNKNOWN_EVENT, 404, "AR", "201", "not-supported", "the event of this type is not known", \
      "この種別のイベントには対応していません")                                                            \
    X(ERR_PROCESSING_ID, 400, "AR", "202", "value", "the processing id is not allowed",            \
      "処理IDが不正です")

enum err {
    ERR_OK = 0,
#define X(name, http, ack, code, issue, en, ja) name,
    ERR_TABLE(X)
#undef X
        ERR_COUNT
};

/* Marks a function whose result must be looked at. */
#define ERR_CHECKED __attribute__((warn_unused_result))

/* Columns of the table; ERR_OK answers 200, "AA", "0", "informational", "ok". Never NULL. */
const char *err_name(enum err err);
int err_http(enum err err);
const char *err_ack(enum err err);
const char *err_hl7(enum err err);
const char *err_issue(enum err err);
const char *err_en(enum err err);
const char *err_ja(enum err err);

enum err_severity { ERR_SEVERITY_ERROR, ERR_SEVERITY_WARNING, ERR_SEVERITY_INFORMATION };

/* One thing that is wrong, where, said in both languages. */
struct err_item {
    enum err code;
    enum err_severity severity;
    const char *place; /* FHIRPath, SEGMENT-field.component, parameter name, file name; never NULL */
    const char *en;
    const char *ja;
    struct err_item *next;
};

/* What is wrong with one request or document, in the order found. Lives in ARENA; bounded by
 * LIMIT_ERR_ITEMS (later ones are counted, not kept). A zeroed list with an arena is empty. */
struct err_list {
    struct arena *arena;
    struct err_item *first;
    struct err_item *last;
    unsigned kept;
    unsigned errors;   /* all errors, kept or not */
    unsigned warnings; /* all warnings, kept or not */
};

/* Starts an empty list whose items live in ARENA. */
void err_list_init(struct err_list *list, struct arena *arena);

/* Adds an error with the table's own text followed by a detail (both languages share it: ids, values,
 * names of elements). DETAIL may be NULL. Returns CODE, so callers can `return err_add(...)`. */
enum err err_add(struct err_list *list, enum err code, const char *place, const char *detail_format,
                 ...) __attribute__((format(printf, 4, 5)));

/* Adds an error with the table's own text followed by a detail that has words, in each language. Returns CODE. */
enum err err_add_words(struct err_list *list, enum err code, const char *place, const char *en,
                       const char *ja);

/* Adds with full texts of its own in both languages. Returns CODE. */
enum err err_say(struct err_list *list, enum err_severity severity, enum err code,
                 const char *place, const char *en, const char *ja);

/* The code of the first error in the list, or ERR_OK. */
enum err err_list_code(const struct err_list *list);

#endif
