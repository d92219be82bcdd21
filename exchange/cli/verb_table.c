/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of the program: help, completion and parsing read this table. A new verb is one row
 * here and one file beside it.
 */
#include "exchange/cli/cli.h"

#include "base/banned.h"

#define MANY 100000u
/* clang-format off */
#define PLACE                                                                                      \
    {"config", "FILE", "configuration file", "設定ファイル"},                                        \
    {"dir", "DIR", "installation folder (DIR/tasuki.conf)", "導入先フォルダー（DIR/tasuki.conf）"}
#define JSON {"json", NULL, "print JSON", "JSON で出力"}
#define END {NULL, NULL, NULL, NULL}
#define LOCAL                                                                                      \
    {"facility", "KEY", "facility", "施設のキー"},                                                   \
    {"local", "NUMBER", "its patient number", "その施設の患者番号"}

static const struct args_option place_only[] = {PLACE, END};
static const struct args_option place_json[] = {PLACE, JSON, END};
static const struct args_option just_json[] = {JSON, END};
static const struct args_option demo_options[] = {
    {"dir", "DIR", "folder of the region (default: a new temporary one)", "地域のフォルダー（省略時は一時フォルダー）"},
    {"port-base", "N", "first port (default 18000)", "先頭のポート（省略時 18000）"},
    {"patients", "N", "residents (default 200)", "住民の数（省略時 200）"},
    {"seed", "S", "another seed makes another town", "種を変えると別の町になります"},
    {"empty", NULL, "parties only, no records or consents", "関係者だけ。記録も同意も入れない"}, END};
static const struct args_option init_options[] = {
    {"name", "NAME", "name of the region", "地域の名前"},
    {"host", "HOST", "address or host name to listen on", "待ち受けるアドレスまたはホスト名"},
    {"port-base", "N", "first port (default 18000)", "先頭のポート（省略時 18000）"}, END};
static const struct args_option bench_options[] = {
    {"dir", "DIR", "keep the region here, use it again (default: a temporary one)", "地域をここに残して再利用（省略時は一時フォルダー）"},
    {"json", NULL, "print JSON", "JSON で出力"},
    {"seconds", "N", "length of a run", "1回の秒数"},
    {"residents", "N", "population (default 2000)", "人口（省略時 2000）"},
    {"resources", "N", "of each resident (default 50; everything: 100)", "1人あたりのリソース数（省略時 50、everything は 100）"},
    {"connections", "N", "connections at once", "同時接続数"},
    {"results", "N", "OBX of a message of intake (default 5)", "intake の1電文の OBX 数（省略時 5）"},
    {"rate", "N", "intake: messages a second, by a timetable", "intake：時刻表どおりに送る毎秒の電文数"}, END};
static const struct args_option facility_options[] = {
    PLACE, {"code", "CODE", "10-digit institution code", "医療機関コード10桁"},
    {"name", "NAME", "name shown to people", "表示名"},
    {"kind", "KIND", "hospital clinic emergency pharmacy insurer city gateway operator", "種別"}, END};
static const struct args_option staff_options[] = {
    PLACE, {"facility", "KEY", "whose staff", "どの施設の職員か"},
    {"user", "ID", "as in Tasuki-User", "職員ID（Tasuki-User の値）"},
    {"name", "NAME", "name shown to people", "表示名"},
    {"role", "ROLE", "doctor nurse pharmacist clerk paramedic system", "役割"}, END};
static const struct args_option staff_list_options[] = {
    PLACE, {"facility", "KEY", "whose staff (default: all)", "どの施設の職員か（省略時はすべて）"}, JSON, END};
static const struct args_option staff_remove_options[] = {
    PLACE, {"facility", "KEY", "whose staff", "どの施設の職員か"},
    {"user", "ID", "as in Tasuki-User", "職員ID（Tasuki-User の値）"}, END};
static const struct args_option consent_options[] = {
    PLACE, {"facility", "KEY", "who took the consent down", "同意書を受け取った施設"},
    {"type", "TYPE", "permit, deny or withdraw", "permit（同意）、deny（拒否）、withdraw（取り下げ）"},
    {"for", "KEY", "only this facility (default: all)", "この施設だけ（省略時はすべて）"},
    {"purpose", "CODE", "only for this (default: all but BTG)", "この目的だけ（省略時は BTG 以外すべて）"},
    {"until", "DATE", "up to and including this day", "この日まで"}, END};
static const struct args_option cert_options[] = {
    PLACE, {"facility", "KEY", "it speaks for this facility", "この施設の証明書"},
    {"card", "NUMBER", "or for the holder of this card", "またはこの診察券の本人の証明書"}, END};
static const struct args_option card_options[] = {
    PLACE, LOCAL, {"name", "NAME", "of a new resident", "新しい住民の氏名"},
    {"kana", "KANA", "reading", "カナ"}, {"birth-date", "DATE", "YYYY-MM-DD", "生年月日"},
    {"gender", "CODE", "male female other unknown", "性別"}, END};
static const struct args_option patient_options[] = {PLACE, LOCAL, JSON, END};
static const struct args_option link_options[] = {
    PLACE, LOCAL, {"card", "NUMBER", "of the resident it belongs to", "正しい本人の診察券番号"}, END};
static const struct args_option explain_options[] = {
    PLACE, {"facility", "KEY", "who asks", "閲覧する施設"},
    {"purpose", "CODE", "TREAT (default), ETREAT, BTG, HPAYMT, ...", "目的（省略時 TREAT）"}, JSON, END};
static const struct args_option search_options[] = {
    PLACE, {"card", "NUMBER", "about this resident", "この住民について"},
    {"facility", "KEY", "by this facility", "この施設による"},
    {"from", "DATE", "from this day", "この日から"}, {"to", "DATE", "until this day", "この日まで"},
    {"limit", "N", "rows, at most 1000 (default 100)", "件数（1000 まで、省略時 100）"}, JSON, END};
static const struct args_option touched_options[] = {
    PLACE, {"facility", "KEY", "whose doings", "どの施設の操作か"},
    {"from", "DATE", "from this day", "この日から"}, {"to", "DATE", "until this day", "この日まで"}, JSON, END};
static const struct args_option restore_options[] = {
    PLACE, {"verify", NULL, "prove the backup's audit chain first", "控えの監査記録の連鎖も検証する"}, END};
static const struct args_option intake_options[] = {
    PLACE, {"facility", "KEY", "which one sent it", "送った施設"}, JSON, END};
static const struct args_option rejected_options[] = {
    PLACE, {"facility", "KEY", "which one sent it", "送った施設"},
    {"reason", "CODE", "only those refused for this", "この理由のものだけ"},
    {"all", NULL, "those filed in the end, too", "あとで登録したものも"}, JSON, END};
static const struct args_option show_options[] = {
    PLACE, {"facility", "KEY", "which one sent it", "送った施設"},
    {"raw", NULL, "the bytes as they came", "受信したバイト列のまま"},
    {"decoded", NULL, "as text, one segment a line (default)", "文字に直して1行1セグメント（省略時）"},
    {"tree", NULL, "taken apart, with names, the finding at its place", "項目名つきの木、指摘はその場所に"}, END};
static const struct args_option replay_options[] = {
    PLACE, {"facility", "KEY", "those of this facility", "この施設のもの"},
    {"reason", "CODE", "those refused for this", "この理由のもの"},
    {"all", NULL, "all that wait", "待っているものすべて"},
    {"edit", "FILE", "with these bytes instead", "代わりにこのバイト列で"}, END};
static const struct args_option dismiss_options[] = {
    PLACE, {"note", "TEXT", "why they are not to be filed", "登録しない理由"},
    {"facility", "KEY", "those of this facility", "この施設のもの"},
    {"reason", "CODE", "those refused for this", "この理由のもの"},
    {"all", NULL, "all that wait", "待っているものすべて"}, END};
static const struct args_option original_options[] = {
    PLACE, {"facility", "KEY", "which one sent it", "送った施設"}, END};
static const struct args_option patient_export_options[] = {
    PLACE, {"facility", "KEY", "who asks", "閲覧する施設"}, END};
static const struct args_option import_options[] = {
    PLACE, {"facility", "KEY", "whose documents these are", "どの施設の文書か"}, END};
static const struct args_option export_options[] = {
    PLACE, {"anew", NULL, "write what came as messages anew too", "受信した電文も記録から書き直す"},
    {"facility", "KEY", "whose data, or who asks", "どの施設のデータか（または閲覧する施設）"},
    {"card", "NUMBER", "what that facility may see of this resident", "その施設が閲覧できる、この住民の記録"},
    {"watch", NULL, "keep the tree up to date until stopped", "停止するまで更新し続ける"}, END};
static const struct args_option index_options[] = {
    {"check", NULL, "compare the index that is there with the tree", "今ある索引をツリーと比べる"},
    {"code", "CODE", "institution code to put into it", "索引に入れる医療機関コード"},
    {"label", "LABEL", "volume label (default STD01)", "ボリュームラベル（省略時 STD01）"}, END};
static const struct args_option inspect_options[] = {
    JSON, {"fields", NULL, "print how often each field is filled", "項目ごとの出現数を出力"},
    {"list", "FIELDS", "list the values of these fields, e.g. OBX-3,PRB-3.1", "これらの項目の値を一覧する（例 OBX-3,PRB-3.1）"}, END};
static const struct args_option retry_options[] = {
    PLACE, {"skip", NULL, "leave out the change that could not be delivered", "届けられなかった変更を飛ばす"}, END};
static const struct args_option letters_options[] = {
    PLACE, {"all", NULL, "those dealt with, too", "処理済みのものも"}, JSON, END};
static const struct args_option steer_options[] = {
    PLACE, {"all", NULL, "every dead letter of the feed", "その送信の不達すべて"}, END};
static const struct args_option map_options[] = {
    {"to", "FORM", "fhir (JSON), xml (FHIR) or html", "fhir (JSON)、xml (FHIR)、html"},
    {"coverage", NULL, "what becomes of each field of HL7 v2 messages", "HL7 v2 の項目ごとの変換状況"},
    JSON, END};

const struct args_verb cli_verbs[] = {
    {"help", "[VERB]", 0, 2, NULL, cli_help, "what there is, or one verb", "使い方"},
    {"version", "", 0, 0, just_json, cli_version, "version of the program", "版"},
    {"completion", "[bash]", 0, 1, NULL, cli_completion, "completion for the shell", "シェル補完"},
    {"demo", "", 0, 0, demo_options, cli_demo, "an invented region on this machine", "架空の地域をこの計算機で動かす"},
    {"init", "DIR", 1, 1, init_options, cli_init, "a new installation", "新しく導入する"},
    {"check-config", "FILE", 1, 1, NULL, cli_check_config, "check a configuration", "設定を検査する"},
    {"serve", "", 0, 0, place_only, cli_serve, "run the exchange", "運転する"},
    {"facility list", "", 0, 0, place_json, cli_facility_list, "facilities", "施設の一覧"},
    {"facility add", "KEY", 1, 1, facility_options, cli_facility_add, "add or change a facility", "施設を登録・変更する"},
    {"facility disable", "KEY", 1, 1, place_only, cli_facility_disable, "nobody speaks for it any more", "施設の利用を止める"},
    {"facility enable", "KEY", 1, 1, place_only, cli_facility_enable, "and again", "施設の利用を再開する"},
    {"staff list", "", 0, 0, staff_list_options, cli_staff_list, "people whom facilities may name", "施設の職員の一覧"},
    {"staff remove", "", 0, 0, staff_remove_options, cli_staff_remove, "may not be named any more", "職員を外す"},
    {"staff add", "", 0, 0, staff_options, cli_staff_add, "add or change a member of a facility's staff", "施設の職員を登録・変更する"},
    {"cert list", "", 0, 0, place_json, cli_cert_list, "client certificates", "証明書の一覧"},
    {"cert issue", "NAME", 1, 1, cert_options, cli_cert_issue, "issue a client certificate", "証明書を発行する"},
    {"cert revoke", "NAME|SERIAL", 1, 1, place_only, cli_cert_revoke, "revoke a certificate", "証明書を失効させる"},
    {"cert crl", "", 0, 0, place_only, cli_cert_crl, "sign the revocation list anew, revoke nothing", "失効リストを署名し直す（失効はさせない）"},
    {"card issue", "", 0, 0, card_options, cli_card_issue, "issue a common clinic card", "共通診察券を発行する"},
    {"card revoke", "NUMBER", 1, 1, place_only, cli_card_revoke, "revoke a card", "診察券を無効にする"},
    {"card lookup", "NUMBER", 1, 1, place_json, cli_card_lookup, "is the card in force, where is it known", "診察券を調べる"},
    {"patient show", "[CARD]", 0, 1, patient_options, cli_patient_show, "charts linked to a resident", "名寄せの状態"},
    {"patient link", "", 0, 0, link_options, cli_patient_link, "link a chart to a resident", "カルテを本人に結ぶ"},
    {"patient unlink", "", 0, 0, patient_options, cli_patient_unlink, "separate a chart", "カルテを切り離す"},
    {"patient undo", "", 0, 0, patient_options, cli_patient_undo, "undo the last link or unlink", "直前の変更を取り消す"},
    {"patient queue", "", 0, 0, place_json, cli_patient_queue, "likely links that wait for a decision", "確認待ちの名寄せ"},
    {"patient dismiss", "QUESTION", 1, 1, place_only, cli_patient_dismiss, "answer a question with no", "別人として確認を終える"},
    {"consent show", "CARD", 1, 1, place_json, cli_consent_show, "rules in force", "有効な同意の規則"},
    {"consent set", "CARD", 1, 1, consent_options, cli_consent_set, "record a consent given on paper", "書面の同意を登録する"},
    {"consent explain", "CARD", 1, 1, explain_options, cli_consent_explain, "what a facility may see and why", "何がなぜ見えるか"},
    {"subscription list", "", 0, 0, place_json, cli_subscription_list, "Subscriptions, how far they are, what they wait for", "購読とその進み具合"},
    {"subscription retry", "ID", 1, 1, retry_options, cli_subscription_retry, "go on with a Subscription that failed", "失敗した購読を再開する"},
    {"feed list", "", 0, 0, place_json, cli_feed_list, "outgoing feeds, how far they are, what they wait for", "送信（feed）とその進み具合"},
    {"feed show", "NAME", 1, 1, letters_options, cli_feed_show, "what the receiver of a feed refused, and why", "送信先が拒否した電文とその理由"},
    {"feed retry", "NAME [LETTER]", 1, 2, steer_options, cli_feed_retry, "send a dead letter again, or try at once", "不達の電文を送り直す、またはすぐに再試行する"},
    {"feed drop", "NAME [LETTER]", 1, 2, steer_options, cli_feed_drop, "give up a dead letter, or what is under way", "不達の電文、または送信中の電文を破棄する"},
    {"audit verify", "", 0, 0, place_json, cli_audit_verify, "prove the audit chain", "監査記録の連鎖を検証する"},
    {"audit search", "", 0, 0, search_options, cli_audit_search, "who did what", "監査記録を調べる"},
    {"audit touched", "", 0, 0, touched_options, cli_audit_touched, "whose records a facility touched", "施設が触れた住民の一覧"},
    {"audit export", "FILE", 1, 1, place_only, cli_audit_export, "the whole chain, one JSON object a line", "監査記録の連鎖を1行1件の JSON で書き出す"},
    {"intake rejected", "", 0, 0, rejected_options, cli_intake_rejected, "what was refused and why", "拒否した受信とその理由"},
    {"intake unmapped", "", 0, 0, intake_options, cli_intake_unmapped, "fields kept without being mapped", "変換せず原本だけに残した項目"},
    {"intake show", "ID", 1, 1, show_options, cli_intake_show, "a refused message and what is wrong with it", "拒否した電文とその理由"},
    {"intake replay", "[ID...]", 0, MANY, replay_options, cli_intake_replay, "file refused messages again", "拒否した電文を登録し直す"},
    {"intake dismiss", "[ID...]", 0, MANY, dismiss_options, cli_intake_dismiss, "refused messages that are not to be filed", "拒否した電文を登録せず処理済みにする"},
    {"intake original", "SHA", 1, 1, original_options, cli_intake_original, "the bytes of a message as they came", "受信した電文の原本のバイト列"},
    {"export ssmix2", "DIR", 1, 1, export_options, cli_export_ssmix2, "write a standard storage", "SS-MIX2 標準化ストレージを書き出す"},
    {"export patient", "CARD", 1, 1, patient_export_options, cli_export_patient, "all that a facility may see of a resident, as a Bundle", "施設が閲覧できる1人の全記録を Bundle で出力する"},
    {"index ssmix2", "ROOT", 1, 1, index_options, cli_index_ssmix2, "make a storage's index anew from its tree", "SS-MIX2 の索引（SSMIXIDX）をツリーから作り直す"},
    {"import ssmix2", "ROOT", 1, 1, import_options, cli_import_ssmix2, "take in a standard storage", "SS-MIX2 標準化ストレージを取り込む"},
    {"import fhir", "FILE...", 1, MANY, import_options, cli_import_fhir, "take in resources or bundles", "FHIR を取り込む"},
    {"definitions load", "PATH...", 1, MANY, place_only, cli_definitions_load, "store profiles, value sets, code systems", "プロファイル、値セット、コードシステムを登録する"},
    {"definitions list", "", 0, 0, place_json, cli_definitions_list, "stored definitions", "登録した定義の一覧"},
    {"validate hl7", "PATH...", 1, MANY, just_json, cli_validate_hl7, "the server's verdict on messages", "HL7 v2 を検査する"},
    {"validate ssmix2", "ROOT", 1, 1, inspect_options, cli_validate_ssmix2, "check a standard storage, count by kind and check", "SS-MIX2 標準化ストレージを検査する"},
    {"validate fhir", "PATH...", 1, MANY, just_json, cli_validate_fhir, "the server's verdict on resources", "FHIR を検査する"},
    {"map", "FILE...", 0, MANY, map_options, cli_map, "run one mapper, print the result", "変換して表示する"},
    {"backup", "FILE", 1, 1, place_only, cli_backup, "copy the store while it runs", "運転中に控えを取る"},
    {"restore", "FILE", 1, 1, restore_options, cli_restore, "put a backup in place of the store", "控えを保存領域に戻す"},
    {"migrate status", "", 0, 0, place_json, cli_migrate_status, "schema versions", "スキーマの版"},
    {"migrate up", "", 0, 0, place_only, cli_migrate_up, "bring the store to the newest schema", "スキーマを最新にする"},
    {"reindex", "", 0, 0, place_only, cli_reindex, "rebuild the search indexes", "検索索引を作り直す"},
    {"bench", "[NAME]", 0, 1, bench_options, cli_bench, "the project's own benchmarks", "性能測定"},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */
