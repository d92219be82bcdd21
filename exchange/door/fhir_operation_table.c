/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of operations (see fhir_operation.h). Where HL7 or IHE has defined one, its definition is named and ours says what
 * of it is supported.
 */
#include "exchange/door/fhir_operation.h"

#include "base/banned.h"

#define HL7 "http://hl7.org/fhir/OperationDefinition/"
#define END {NULL, false, 0, NULL, NULL, NULL, NULL, NULL, NULL}
#define RETURN(type, ja, en) {"return", true, 1, "1", type, NULL, NULL, ja, en}

static const struct fhir_operation_param match_params[] = {
    {"resource", false, 1, "1", "Patient", NULL, NULL, "照合する患者。識別子だけを使います",
     "the patient to match; only identifiers count"},
    RETURN("Bundle", "確実に一致した患者。最大1件", "at most one certain match"),
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

const struct fhir_operation fhir_operations[] = {
    {"match", "Patient", OPERATION_TYPE, false, HL7 "Patient-match", NULL,
     "識別子による本人照合", "finds a patient by identifiers", match_params},
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
    {"convert", NULL, OPERATION_SYSTEM, false, HL7 "Resource-convert", NULL,
     "JSON と XML の変換", "from JSON to XML and back", convert_params},
    {NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL},
};
