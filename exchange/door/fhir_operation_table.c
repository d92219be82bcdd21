/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of operations (see fhir_operation.h). Where HL7 or IHE has defined one, its definition is named and ours says what
 * of it is supported.
 */
#include "exchange/door/fhir_operation.h"

#include "base/banned.h"

#define HL7 "http://hl7.org/fhir/OperationDefinition/"
#define BULK "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
#define END {NULL, false, 0, NULL, NULL, NULL, NULL, NULL, NULL}
#define RETURN(type, ja, en) {"return", true, 1, "1", type, NULL, NULL, ja, en}

static const struct fhir_operation_param match_params[] = {
    {"resource", false, 1, "1", "Patient", NULL, NULL, "照合する患者", "the patient to match"},
    {"onlyCertainMatches", false, 0, "1", "boolean", NULL, NULL, "確実な一致だけ", "certain matches only"},
    {"count", false, 0, "1", "integer", NULL, NULL, "最大件数", "at most so many"},
    RETURN("Bundle", "一致した患者。一致の度合い順", "matches, the best first"),
    END};

static const struct fhir_operation_param break_glass_params[] = {
    {"identifier", false, 0, "1", "Identifier", NULL, NULL, "診察券番号など", "card or other number"},
    {"patient", false, 0, "1", "Reference", NULL, NULL, "または患者への参照", "or a reference to him"},
    {"reason", false, 1, "1", "code", NULL, NULL, "unconscious, life-threat, unable-to-consent, other",
     "unconscious, life-threat, unable-to-consent, other"},
    {"text", false, 0, "1", "string", NULL, NULL, "理由の説明。other では必須",
     "the reason in words; required with other"},
    {"patient", true, 1, "1", "Reference", NULL, NULL, "患者", "the patient"},
    {"session", true, 1, "1", "string", NULL, NULL, "Tasuki-Break-Glass に入れる値",
     "value for Tasuki-Break-Glass"},
    {"expires", true, 1, "1", "instant", NULL, NULL, "有効期限", "until when"},
    END};

static const struct fhir_operation_param summary_params[] = {
    RETURN("Bundle", "IPS 文書", "an IPS document"), END};

static const struct fhir_operation_param everything_params[] = {
    {"start", false, 0, "1", "date", NULL, NULL, "診療日の始め", "care given on or after this date"},
    {"end", false, 0, "1", "date", NULL, NULL, "診療日の終わり", "care given on or before this date"},
    {"_since", false, 0, "1", "instant", NULL, NULL, "これ以後に変わったもの", "changed since then"},
    {"_type", false, 0, "*", "code", NULL, NULL, "リソース種別（コンマ区切り）",
     "resource types, comma-separated"},
    {"_count", false, 0, "1", "integer", NULL, NULL, "1ページの件数", "resources of a page"},
    RETURN("Bundle", "検索結果", "a searchset"),
    END};

static const struct fhir_operation_param encounter_everything_params[] = {
    {"_since", false, 0, "1", "instant", NULL, NULL, "これ以後に変わったもの", "changed since then"},
    {"_type", false, 0, "*", "code", NULL, NULL, "リソース種別（コンマ区切り）",
     "resource types, comma-separated"},
    {"_count", false, 0, "1", "integer", NULL, NULL, "1ページの件数", "resources of a page"},
    RETURN("Bundle", "検索結果", "a searchset"),
    END};

static const struct fhir_operation_param access_history_params[] = {
    {"date", false, 0, "*", "string", "date", NULL, "日時の範囲", "when"},
    {"_count", false, 0, "1", "integer", NULL, NULL, "1ページの件数", "events of a page"},
    {"_before", false, 0, "1", "integer", NULL, NULL, "続きの位置", "where the next page begins"},
    RETURN("Bundle", "AuditEvent の一覧", "AuditEvents"),
    END};

static const struct fhir_operation_param explain_access_params[] = {
    {"category", true, 0, "*", NULL, NULL, NULL, "情報区分ごとに1件。name は区分のコード",
     "one for each data category, whose code is its name"},
    {"permitted", true, 1, "1", "boolean", NULL, "category", "閲覧できるか", "may it be seen"},
    {"rule", true, 1, "1", "string", NULL, "category", "根拠", "which rule says so"},
    END};

static const struct fhir_operation_param pix_params[] = {
    {"sourceIdentifier", false, 1, "1", "string", "token", NULL, "手元の番号（system|value）",
     "the number known (system|value)"},
    {"targetSystem", false, 0, "*", "uri", NULL, NULL, "求める番号の system", "systems wanted"},
    {"targetIdentifier", true, 0, "*", "Identifier", NULL, NULL, "同じ人の番号", "numbers of the same person"},
    {"targetId", true, 0, "*", "Reference", NULL, NULL, "Patient への参照", "his Patient here"},
    END};

static const struct fhir_operation_param lastn_params[] = {
    {"max", false, 0, "1", "positiveInt", NULL, NULL, "コードごとの件数。既定は1",
     "how many of each code; 1 if absent"},
    {"patient", false, 0, "1", "string", "reference", NULL, "患者（patient か subject が必須）",
     "whose (this or subject is required)"},
    {"subject", false, 0, "1", "string", "reference", NULL, "対象", "of whom or what"},
    {"category", false, 0, "*", "string", "token", NULL, "区分（category かコードが必須）",
     "category (this or a code is required)"},
    {"code", false, 0, "*", "string", "token", NULL, "コード", "code"},
    RETURN("Bundle", "コードごとに新しい順", "the newest of each code"),
    END};

static const struct fhir_operation_param document_params[] = {
    {"persist", false, 0, "1", "boolean", NULL, NULL, "false のみ", "only false"},
    RETURN("Bundle", "文書", "the document"),
    END};

static const struct fhir_operation_param meta_params[] = {
    RETURN("Meta", "プロファイル、タグ、セキュリティラベル", "profiles, tags and security labels"), END};

static const struct fhir_operation_param meta_add_params[] = {
    {"meta", false, 1, "1", "Meta", NULL, NULL, "加えるもの", "what to add"},
    RETURN("Meta", "変更後", "as it is then"),
    END};

static const struct fhir_operation_param meta_delete_params[] = {
    {"meta", false, 1, "1", "Meta", NULL, NULL, "除くもの", "what to take away"},
    RETURN("Meta", "変更後", "as it is then"),
    END};

static const struct fhir_operation_param convert_params[] = {
    {"input", false, 1, "1", "Resource", NULL, NULL, "変換するリソース", "the resource to convert"},
    {"output", true, 1, "1", "Resource", NULL, NULL, "求めた形式のリソース", "it in the form asked for"},
    END};

static const struct fhir_operation_param validate_params[] = {
    {"resource", false, 0, "1", "Resource", NULL, NULL, "検査するリソース", "what to check"},
    {"mode", false, 0, "1", "code", NULL, NULL, "create, update, delete, profile",
     "create, update, delete, profile"},
    {"profile", false, 0, "1", "uri", NULL, NULL, "保存済みのプロファイル", "a stored profile"},
    RETURN("OperationOutcome", "検査の結果", "the verdict"),
    END};

static const struct fhir_operation_param expand_params[] = {
    {"url", false, 0, "1", "uri", NULL, NULL, "ValueSet の url", "url of the ValueSet"},
    {"valueSet", false, 0, "1", "ValueSet", NULL, NULL, "または ValueSet そのもの", "or the ValueSet itself"},
    {"valueSetVersion", false, 0, "1", "string", NULL, NULL, "版", "its version"},
    {"filter", false, 0, "1", "string", NULL, NULL, "表示名などに含まれる文字", "text in display or code"},
    {"offset", false, 0, "1", "integer", NULL, NULL, "始めの位置", "where to begin"},
    {"count", false, 0, "1", "integer", NULL, NULL, "件数", "how many"},
    {"activeOnly", false, 0, "1", "boolean", NULL, NULL, "有効なコードのみ", "only codes in use"},
    {"excludeNested", false, 0, "1", "boolean", NULL, NULL, "常に平らです", "expansions are flat anyhow"},
    {"includeDefinition", false, 0, "1", "boolean", NULL, NULL, "compose も返す", "with its definition"},
    {"includeDesignations", false, 0, "1", "boolean", NULL, NULL, "別名は返しません", "designations are not given"},
    {"displayLanguage", false, 0, "1", "code", NULL, NULL, "表示名は保存されたまま", "displays are as stored"},
    RETURN("ValueSet", "展開した ValueSet", "the ValueSet, expanded"),
    END};

#define CODE_PARAMS                                                                                \
    {"code", false, 0, "1", "code", NULL, NULL, "コード", "code"},                                    \
    {"display", false, 0, "1", "string", NULL, NULL, "表示名", "its display"},                         \
    {"coding", false, 0, "1", "Coding", NULL, NULL, "またはコーディング", "or a coding"},                    \
    {"codeableConcept", false, 0, "1", "CodeableConcept", NULL, NULL, "または概念",                      \
     "or a concept"},                                                                              \
    {"abstract", false, 0, "1", "boolean", NULL, NULL, "抽象コードも可", "abstract codes too"},              \
    {"displayLanguage", false, 0, "1", "code", NULL, NULL, "表示名は保存されたまま",                        \
     "displays are as stored"},                                                                    \
    {"result", true, 1, "1", "boolean", NULL, NULL, "含まれるか", "is it one of them"},                  \
    {"message", true, 0, "1", "string", NULL, NULL, "説明", "why not"},                               \
    {"display", true, 0, "1", "string", NULL, NULL, "正しい表示名", "its right display"},                 \
    END

static const struct fhir_operation_param set_code_params[] = {
    {"url", false, 0, "1", "uri", NULL, NULL, "ValueSet の url", "url of the ValueSet"},
    {"valueSet", false, 0, "1", "ValueSet", NULL, NULL, "または ValueSet そのもの", "or the ValueSet itself"},
    {"valueSetVersion", false, 0, "1", "string", NULL, NULL, "版", "its version"},
    {"system", false, 0, "1", "uri", NULL, NULL, "コード体系", "the code's system"},
    {"systemVersion", false, 0, "1", "string", NULL, NULL, "その版", "its version"},
    CODE_PARAMS};

static const struct fhir_operation_param system_code_params[] = {
    {"url", false, 0, "1", "uri", NULL, NULL, "CodeSystem の url", "url of the CodeSystem"},
    {"codeSystem", false, 0, "1", "CodeSystem", NULL, NULL, "または CodeSystem そのもの",
     "or the CodeSystem itself"},
    {"version", false, 0, "1", "string", NULL, NULL, "版", "its version"},
    {"system", false, 0, "1", "uri", NULL, NULL, "または url", "or the url"},
    CODE_PARAMS};

static const struct fhir_operation_param lookup_params[] = {
    {"code", false, 0, "1", "code", NULL, NULL, "コード", "code"},
    {"system", false, 0, "1", "uri", NULL, NULL, "コード体系", "its system"},
    {"version", false, 0, "1", "string", NULL, NULL, "版", "the system's version"},
    {"coding", false, 0, "1", "Coding", NULL, NULL, "またはコーディング", "or a coding"},
    {"property", false, 0, "*", "code", NULL, NULL, "求める属性", "properties wanted"},
    {"date", false, 0, "1", "dateTime", NULL, NULL, "保存された版だけを見ます", "only what is stored now counts"},
    {"displayLanguage", false, 0, "1", "code", NULL, NULL, "表示名は保存されたまま", "displays are as stored"},
    {"name", true, 1, "1", "string", NULL, NULL, "コード体系の名", "name of the system"},
    {"version", true, 0, "1", "string", NULL, NULL, "その版", "its version"},
    {"display", true, 1, "1", "string", NULL, NULL, "表示名", "display of the code"},
    {"definition", true, 0, "1", "string", NULL, NULL, "定義", "its definition"},
    {"designation", true, 0, "*", NULL, NULL, NULL, "別の表示名", "other displays"},
    {"language", true, 0, "1", "code", NULL, "designation", "言語", "language"},
    {"use", true, 0, "1", "Coding", NULL, "designation", "用途", "what for"},
    {"value", true, 1, "1", "string", NULL, "designation", "表示名", "the display"},
    {"property", true, 0, "*", NULL, NULL, NULL, "属性", "properties"},
    {"code", true, 1, "1", "code", NULL, "property", "属性の名", "which"},
    {"value", true, 0, "1", "Element", NULL, "property", "値", "its value"},
    END};

static const struct fhir_operation_param events_params[] = {
    RETURN("Binary", "text/event-stream", "text/event-stream"), END};

static const struct fhir_operation_param export_params[] = {
    {"_outputFormat", false, 0, "1", "string", NULL, NULL, "application/fhir+ndjson", "application/fhir+ndjson"},
    {"_since", false, 0, "1", "instant", NULL, NULL, "これ以後に変わったもの", "changed since then"},
    {"_type", false, 0, "*", "string", NULL, NULL, "リソース種別（コンマ区切り）",
     "resource types, comma-separated"},
    {"_typeFilter", false, 0, "*", "string", NULL, NULL, "種別ごとの検索条件", "searches of types"},
    END};

const struct fhir_operation fhir_operations[] = {
    {"match", "Patient", OPERATION_TYPE, false, HL7 "Patient-match", NULL,
     "番号または5項目以上の一致による本人照合", "finds a patient by numbers or agreeing fields", match_params},
    {"break-glass", "Patient", OPERATION_TYPE, true, NULL, NULL,
     "緊急時に1人の記録を60分開く", "opens one patient's record for 60 minutes in an emergency", break_glass_params},
    {"ihe-pix", "Patient", OPERATION_TYPE, false,
     "https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix", NULL,
     "患者番号の相互照会（IHE PIXm）", "a patient's other numbers (IHE PIXm)", pix_params},
    {"summary", "Patient", OPERATION_INSTANCE, false,
     "http://hl7.org/fhir/uv/ips/OperationDefinition/summary", NULL,
     "閲覧できる情報による国際患者サマリー", "the International Patient Summary of what the caller may see", summary_params},
    {"everything", "Patient", OPERATION_INSTANCE, false, HL7 "Patient-everything", NULL,
     "1人の閲覧できる全記録", "all that may be seen of one patient", everything_params},
    {"everything", "Encounter", OPERATION_INSTANCE, false, HL7 "Encounter-everything", NULL,
     "1回の受診の閲覧できる全記録", "all that may be seen of one encounter", encounter_everything_params},
    {"access-history", "Patient", OPERATION_INSTANCE, false, NULL, NULL,
     "本人の記録を誰が見たか", "who looked at the patient's record", access_history_params},
    {"explain-access", "Patient", OPERATION_INSTANCE, false, NULL, NULL,
     "情報区分ごとの閲覧可否とその根拠", "what the caller may see, by category, and why", explain_access_params},
    {"lastn", "Observation", OPERATION_TYPE, false, HL7 "Observation-lastn", "Observation",
     "コードごとの最新の検査値", "the newest observations of each code", lastn_params},
    {"document", "Composition", OPERATION_INSTANCE, false, HL7 "Composition-document", NULL,
     "Composition から文書を作る", "makes a document of a Composition", document_params},
    {"meta", "Resource", OPERATION_SYSTEM | OPERATION_TYPE | OPERATION_INSTANCE, false,
     HL7 "Resource-meta", NULL, "使われているプロファイル、タグ、ラベル", "profiles, tags and labels in use", meta_params},
    {"meta-add", "Resource", OPERATION_INSTANCE, true, HL7 "Resource-meta-add", NULL,
     "プロファイル、タグ、ラベルを加える（新しい版になる）", "adds profiles, tags and labels; makes a version", meta_add_params},
    {"meta-delete", "Resource", OPERATION_INSTANCE, true, HL7 "Resource-meta-delete", NULL,
     "プロファイル、タグ、ラベルを除く（新しい版になる）", "takes profiles, tags and labels away; makes a version",
     meta_delete_params},
    {"validate", "Resource", OPERATION_TYPE | OPERATION_INSTANCE, false, HL7 "Resource-validate", NULL,
     "保存せずに検査する", "checks without storing", validate_params},
    {"expand", "ValueSet", OPERATION_TYPE | OPERATION_INSTANCE, false, HL7 "ValueSet-expand", NULL,
     "値セットを展開する", "the codes of a value set", expand_params},
    {"validate-code", "ValueSet", OPERATION_TYPE | OPERATION_INSTANCE, false,
     HL7 "ValueSet-validate-code", NULL, "コードが値セットに含まれるか", "is a code in a value set", set_code_params},
    {"validate-code", "CodeSystem", OPERATION_TYPE, false, HL7 "CodeSystem-validate-code", NULL,
     "コードがコード体系にあるか", "is a code in a code system", system_code_params},
    {"lookup", "CodeSystem", OPERATION_TYPE, false, HL7 "CodeSystem-lookup", NULL,
     "コードの説明", "what a code means", lookup_params},
    {"events", "Subscription", OPERATION_INSTANCE, false, NULL, NULL,
     "Subscription の通知を流す", "the events of a Subscription as a stream", events_params},
    {"export", NULL, OPERATION_SYSTEM, false, BULK "export", NULL,
     "全体の一括出力", "bulk export of everything", export_params},
    {"export", "Patient", OPERATION_TYPE, false, BULK "patient-export", NULL,
     "全患者の一括出力", "bulk export of all patients", export_params},
    {"export", "Group", OPERATION_INSTANCE, false, BULK "group-export", NULL,
     "グループの一括出力", "bulk export of a group", export_params},
    {"convert", NULL, OPERATION_SYSTEM, false, HL7 "Resource-convert", NULL,
     "JSON と XML の変換", "from JSON to XML and back", convert_params},
    {NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL},
};
