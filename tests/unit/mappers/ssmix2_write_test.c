/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources to messages and back: what the written message is mapped to is held against what it was
 * written from, element by element; every message passes the checks of the standard storage. Also
 * keys and cancellations of messages that came in.
 */
#include "hl7_map_run.h"

#include "mappers/ssmix2/inspect.h"
#include "mappers/ssmix2/write.h"

#include "base/banned.h"

#define ITEMS 64u

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

#define MSH(type) "MSH|^~\\&|A|B|GW|D|20261101103059||" type "|1|P|2.5||||||UNICODE UTF-8\r"
#define PID "PID|0001||00012345^^^^PI||結城^花^^^^^L^I~ユウキ^ハナ^^^^^L^P||19520314|F\r"
#define PV1 "PV1|0001|O||||||||01|||||||||V1\r"

static const struct {
    const char *kind, *text;
    const char *except; /* elements that the standard has no place for, or that are ours */
} rows[] = {
    {"ADT-00",
     MSH("ADT^A08^ADT_A01") "EVN||20261101\rPID|0001||00012345^^^^PI||結城^花^^^^^L^I~ユウキ^ハナ^^"
                            "^^^L^P||19520314|F|||"
                            "^^^^422-8033^JPN^H^静岡県静岡市１−３||^PRN^PH^^^^^^^^^054-000-0000|^"
                            "WPN^PH^^^^^^^^^03-3599-9993\r"
                            "NK1|1|結城^一郎^^^^^L^I|SPO^配偶者^HL70063|^^^^422-8033^JPN^H^静岡県|^"
                            "PRN^PH^^^^^^^^^054-1\r"
                            "PV1|0001|O\rDB1|1|PT||Y\rOBX|1|NM|9N001000000000001^身長^JC10||167.8|"
                            "cm^cm^ISO+|||||F\r"
                            "IN1|1|67^国民健康保険退職者^JHSD0001|67999991|||||||１２~３４~01||"
                            "20091201|20301231|||||SEL^本人^HL70063\r",
     ""},
    {"ADT-61",
     MSH("ADT^A60^ADT_A60") "EVN||20261101\r" PID
                            "IAM|1|LA^花粉アレルギー^HL70127|5A1002216023023^スギ^JC10|MI^軽度^"
                            "HL70128|目のかゆみ|A^追加^HL70323|"
                            "A1||AL||199601\r"
                            "IAM|2|MC^その他の禁忌^HL70127|106824501^アリナミン^HOT9|MO^中等度^"
                            "HL70128|めまい|A^追加^HL70323|A2|||||小学校\r",
     ""},
    {"PPR-01",
     MSH("PPR^ZD1^PPR_ZD1") PID
     "PRB|AD|20260915|20054174^胃炎^MDCDX2|P1|||20260831||20260915|K297^^I10||||N^回復せず^HL70241|"
     "|20260831|"
     "胃炎|1^主診断^JHSD0007\r"
     "ORC|NW|999999999999999||||||||||D1^医師^一郎^^^^^^^L^^^^^I|||||01^内科^99XY1\r"
     "PRB|AD|20260916|20055555^胃潰瘍^MDCDX2|P2|||20260901||||||1^疑いあり^JHSD0005||||"
     "胃潰瘍の疑い\r",
     ""},
    {"ADT-12",
     MSH("ADT^A04^ADT_A01") "EVN||20261101\r" PID
                            "PV1|0001|O|^^^^^^^^内科外来||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r",
     ""},
    {"ADT-22",
     MSH("ADT^A01^ADT_A01") "EVN||20261101\r" PID
                            "PV1|0001|I|^^^^^^^^32-302-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r",
     ""},
    {"ADT-52",
     MSH("ADT^A03^ADT_A03") "EVN||20261101\r" PID
                            "PV1|0001|I|^^^^^^^^32-302-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||01^通常退院^HL70112"
                            "||||||||202611010900|202611051000\r",
     ""},
    {"OMP-01",
     MSH("RDE^O11^RDE_O11") PID PV1
     "ORC|NW|000000026000185||1|||||20261101093000|U1^入力^者^^^^^^^L^^^^^I||D1^医師^一郎^^^^^^^L^^"
     "^^^I|||||01^内科^99XY1\r"
     "RXE||108665201^ダーゼン錠^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||RX1||||3^TAB&錠&MR9P||"
     "OHP^外来処方^MR9P\r"
     "TQ1|1||1013044400000000&毎食後&JAMISDP01|||5^d|20261101\rRXR|PO^口^HL70162\r"
     "ORC|NW|000000026000185||2|||||20261101093000|||D1^医師^一郎^^^^^^^L^^^^^I\r"
     "RXE||108665202^別の錠^HOT9|1|2|TAB^錠^MR9P|||||10|TAB^錠^MR9P\rTQ1|1|||||5^d\rRXR|PO^口^"
     "HL70162\r",
     ""},
    {"ADT-01",
     MSH("ADT^A54^ADT_A54") "EVN||20261101\r" PID
                            "PV1|0001|I|^^^^^^^^32-302-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r",
     ""},
    {"ADT-21",
     MSH("ADT^A14^ADT_A05") "EVN||20261101\r" PID "PV1|0001|I|^^^^^^^^32-302-1||||D1^医師^一郎^^^^^"
                                                  "^^L^^^^^I|||01|||||||||V2\r"
                            "PV2||||||||20261110|20261115\r",
     ""},
    {"ADT-21", /* taken back: flag 0 */
     MSH("ADT^A27^ADT_A21") "EVN||20261101\r" PID "PV1|0001|I|^^^^^^^^32-302-1|||||||01|||||||||"
                                                  "V2\rPV2||||||||20261110\r",
     ""},
    {"ADT-22",
     MSH("ADT^A11^ADT_A09") "EVN||20261101\r" PID "PV1|0001|I|^^^^^^^^32-302-1|||||||01|||||||||V1|"
                                                  "||||||||||||||||||||||||202611010900\r",
     ""},
    {"ADT-31",
     MSH("ADT^A21^ADT_A21") "EVN||20261101||||202611031000\r" PID
                            "PV1|0001|I|^^^^^^^^32-302-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r"
                            "PV2|||||||||||||||||||||||||||||||||||||||||||||||202611041700\r",
     ""},
    {"ADT-41",
     MSH("ADT^A15^ADT_A15") "EVN||20261101\r" PID
                            "PV1|0001|I|^^^^^^^^33-301-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r"
                            "PV2||||||||20261105\r",
     ""},
    {"ADT-42",
     MSH("ADT^A02^ADT_A02") "EVN||20261101||||202611051400\r" PID
                            "PV1|0001|I|^^^^^^^^33-301-1|R^通常^HL70007||^^^^^^^^32-302-1|D1^医師^"
                            "一郎^^^^^^^L^^^^^I|||01|||||||||V1|||||||||||||||||||||||||"
                            "202611010900\r",
     ""},
    {"ADT-51",
     MSH("ADT^A16^ADT_A16") "EVN||20261101\r" PID
                            "PV1|0001|I|^^^^^^^^33-301-1||||D1^医師^一郎^^^^^^^L^^^^^I|||01||||||||"
                            "|V1|||||||||||||||||||||||||202611010900\r"
                            "PV2|||||||||20261110\r",
     ""},
    {"PPR-01", /* a mark that must not get lost */
     MSH("PPR^ZD1^PPR_ZD1") PID
     "PRB|AD|20260915|20054174^胃癌^MDCDX2|P9||||||C169^胃癌^I10^O^外来時^JHSD0004^2013|||||||胃癌|"
     "|||^未告知||||R\r"
     "ZPR|1001^右^99X|20054174^胃癌^MDCDX2|8002^の疑い^99X||HJ9K^胃癌^MEDIS||家族にのみ説明\r",
     ""},
    {"OMD",
     MSH("OMD^O03^OMD_O03") PID PV1
     "ORC|NW|123456789012345|F77||||||20261101232213|||D1^医師^一郎^^^^^^^L^^^^^I|||||01^内科^"
     "99XY1\r"
     "TQ1|1||TID&１日３回&HL70335||||2026110207|20261105\r"
     "ODS|D||001^常食^99XY3|塩分控えめ\rODS|D||002^減塩食^99XY3\rODS|S||101^補助食^99XY3|昼のみ\r"
     "ORC|HD|123456789012345|||||||20261101\rODS|D||003^流動食^99XY3\r",
     ""},
    {"OMP-02", /* all that an injection says */
     MSH("RDE^O11^RDE_O11") PID PV1
     "ORC|NW|123456789012346|F1|123456789012346_01_002||||||||D1^医師^一郎^^^^^^^L^^^^^I||||^"
     "検査前|01^内科^99XY1||||||||||||I^入院^HL70482\r"
     "RXE||01^点滴^99I02|510||ML^ミリリットル^MR9P|INJ^注射剤^MR9P|^５時間一定速度で^99IC6||||||||"
     "RX9||||||IHP^入院処方^MR9P~FTP^定時処方^99I01||102|ml/hr^ミリリッター^ISO+||||||||20261101\r"
     "NTE|1||滴下に注意\r"
     "TQ1|1|||1300|||202611010800|202611011300|S^至急^HL70485||||2^h\r"
     "RXR|IV^静脈内^HL70162|LA^左腕^HL70163|IVP^点滴ポンプ^HL70164|1^側管^99M\r"
     "RXC|B|620007329^ソリタ^HOT9|1|HON^本^MR9P\r",
     ""},
    {"OMP-01", /* two usages of one drug */
     MSH("RDE^O11^RDE_O11") PID PV1
     "ORC|DC|000000026000186||1|||||20261101093000\r"
     "RXE||108665201^ダーゼン錠^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P|2||||||||OHP^外来処方^MR9P\r"
     "TQ1|1||1013044400000000&毎食後&JAMISDP01|||5^d|20261101||||食後に\r"
     "TQ1|2||1012000000000000&寝る前&JAMISDP01|||3^d|20261106\rRXR|PO^口^HL70162\r",
     ""},
    {"OMP-11",
     MSH("RAS^O17^RAS_O17") PID PV1
     "ORC|NW|123456789012345|F2|1|||||20261101141500|||D1^医師^一郎^^^^^^^L^^^^^I|||||01^内科^"
     "99XY1||||||||||||I^入院^HL70482\r"
     "RXA|0|1|20261102083000|20261102084000|108665201^ダーゼン錠^HOT9|1|TAB^錠^MR9P||^半量^99C|N1^"
     "看護^花子^^^^^^^L^^^^^I|09A-021-4|||||||||CP\r"
     "RXR|PO^口^HL70162\r"
     "ORC|NW|123456789012345||2\rRXA|0|1|20261102083000|20261102083000|110626901^別の錠^HOT9|999|||"
     "|||||||||^悪心^99R||RE\r"
     "RXR|PO^口^HL70162\r",
     ""},
    {"OMP-12",
     MSH("RAS^O17^RAS_O17") PID PV1
     "ORC|NW|123456789012345||123456789012345_01_001|||||20261101113613|||D1^医師^一郎^^^^^^^L^^^^^"
     "I|||||01^内科^99XY1||||||||||||I^入院^HL70482\r"
     "RXA|0|1|20261101080521|20261101130543|620007329^ソリタ^HOT9|1|HON^本^MR9P||^左手に実施^99IC2|"
     "N1^看護^花子^^^^^^^L^^^^^I||102ml/hr||||||||CP\r"
     "RXR|IV^静脈内^HL70162|LA^左腕^HL70163|IVP^点滴ポンプ^HL70164|1^側管^99M\r",
     ""},
    {"OML-01",
     MSH("OML^O33^OML_O33") PID PV1
     "SPM|1|S1||023^血清^JC10^01^血清^99Z01|||||||||||||202611011500\r"
     "ORC|NW|000000011000354|F3|||||000000011000300|20261101183301|U1^入力^太郎^^^^^^^L^^^^^I||D1^"
     "医師^一郎^^^^^^^L^^^^^I|||||15^呼吸器外科^99XY1||||||||||||I^入院^HL70482\r"
     "TQ1|1||||||202611011500||S^至急^HL70485\r"
     "OBR|1|000000011000354||E002^生化学的検査^99O03\rNTE|1||空腹時\r"
     "OBX|1||3A010000002327101^総蛋白^JC10^10222^ＴＰ^99X03||||||||O\r"
     "OBX|2||3J010000002327101^総ビリルビン^JC10||||||||O\r"
     "OBX|3|NM|9N006000000000001^体重^JC10||62|kg^kg^ISO+|||||F\r"
     "SPM|2|||022^血漿^JC10\r"
     "ORC|HD|000000011000354||||||||||D1^医師^一郎^^^^^^^L^^^^^I|||||15^呼吸器外科^99XY1\r"
     "OBR|1|000000011000354||E001^血液学的検査^99O03\rOBX|1||2B0300000022311^ＰＴ^JC10||||||||O\r",
     ""},
    {"OML-11", /* a report as such, a sub-id, notes, ranges */
     MSH("OUL^R22^OUL_R22") PID PV1
     "SPM|1|S1|S0|023^血清^JC10||^EDTA|B^採血^99|LA^左腕^99|||||5^ml||||202611010900^202611010910|"
     "202611010930\r"
     "OBR||000000026000355|F9|E003^細菌検査^99O03|||202611010900|202611020900||C1^採血^者^^^^^^^L^^"
     "^^^I||||||||||||202611030900||MB^^HL70074|P||||||||&検査&技師|\r"
     "ORC|SC|000000026000355|||CM||||20261101103000|||D1^医師^一郎^^^^^^^L^^^^^I\r"
     "OBX|1|CWE|6B010000006100214^同定^JC10|1|1301^大腸菌^JANIS|||A||||F|||202611010900|^"
     "検査センター|T1^技師^花^^^^^^^L^^^^^I|C^培養^99\r"
     "NTE|1||再検査済\r"
     "OBX|2|ST|6B010000006100211^菌量^JC10|1|2 +||||||P|||202611010900\r"
     "OBX|3|NM|3A010000002327101^総蛋白^JC10|||||||||I|||202611010900\r",
     ""},
    {"OMG-01",
     MSH("OMG^O19^OMG_O19") PID PV1
     "ORC|PA|000201101200100|||||||20261101100059|||D1^医師^一郎^^^^^^^L^^^^^I\rTQ1|1||||||||R^^"
     "HL70485\r"
     "OBR||000201101200100||1000000000000000^Ｘ線単純撮影^JJ1017\rNTE|1||立位\r"
     "OBX||NM|01-02^体重^JSHR001||62|kg^kg^ISO+|||||F\r"
     "ORC|CH|000201101200101||||||000201101200100|20261101100059|||D1^医師^一郎^^^^^^^L^^^^^I\rTQ1|"
     "1||||||||S^^HL70485\r"
     "OBR||000201101200101||10000002000102000000010000000000^胸部^JJ1017||||||||||||D1^医師^一郎^^^"
     "^^^^L^^^^^I|||||||||||||000201101200100\r",
     ""},
    {"OMG-02",
     MSH("OMG^O19^OMG_O19") PID PV1 "ORC|CA|201212201252100|||||||20261101125210|||D1^医師^一郎^^^^"
                                    "^^^L^^^^^I\rTQ1|1||||||||R^^HL70485\r"
                                    "OBR||201212201252100||11000000000^検査.上部^LENDO\r"
                                    "OBX|1|CWE|04-03^視覚障害^JSHR||SV^重度^JSHR||||||F\rOBX|2|TX|"
                                    "MS3-24^外来所見^JSHR||腹痛||||||F\r",
     ""},
    {"OMG-03",
     MSH("OMG^O19^OMG_O19") PID PV1
     "ORC|NW|201112200089100|||||||202611011015|||D1^医師^一郎^^^^^^^L^^^^^I|||||01^内科^99XY1\r"
     "TQ1|1|1|||||||A^^HL70485\rOBR|1|201112200089100||9A110^標準１２誘導心電図^JC10\r",
     ""},
    {"OMG-11",
     MSH("OMI^Z23^OMI_Z23") PID PV1
     "ORC|NW|2011122000300|||||||20261101113540|||D1^医師^一郎^^^^^^^L^^^^^I\rTQ1|1||||||||R^^"
     "HL70485\r"
     "OBR||2011122000300||99A000000000000^経皮的超音波検査^JJ1017|||20261101\r"
     "OBX|1|TX|MS3-24^所見^JSHR||著変なし||||||F\r"
     "IPC|A201112200030001|P1234|1.2.392.1114.20045.43233.5.300001||US^^DCM\r"
     "ORC|CH|2011122000301||||||2011122000300|20261101113540|||D1^医師^一郎^^^^^^^L^^^^^I\rTQ1|1|||"
     "|||||R^^HL70485\r"
     "OBR||2011122000301||99A00005550000000000000000000000^胎児^JJ1017|||20261101||||||||||||||||||"
     "|||||2011122000300\r"
     "ZE1|1|RS|99A00005550000000000000000000000^胎児^JJ1017|||||D9^助産師^愛子^^^^^^^L^^^^^I\r"
     "OBX|1|TS|TM-P1^開始時間^JSHR||20261101144512||||||F\r"
     "IPC|A201112200030001|P1234|1.2.392.1114.20045.43233.5.300001||US^^DCM\r",
     ""},
    {"OMG-12",
     MSH("OMI^Z23^OMI_Z23") PID PV1
     "ORC|NW|201112191656100|||||||20261101152042|||D1^医師^一郎^^^^^^^L^^^^^I\rTQ1|1||||||||R^^"
     "HL70485\r"
     "OBR||201112191656100||11000000000^検査.上部^LENDO|||20261101\r"
     "ZE1|1|RS|11000001000^上部通常内視鏡^LENDO\r"
     "OBX|1|ZRD|DE-02^薬品^JSHR||100555401^セルシン^HOT9^1^AMP&管&MR9P||||||F\r"
     "OBX|2|CWE|DE-06^内視鏡^JSHR||4953170067938^GIF^JAN||||||F\r"
     "IPC|A200801200010000||1.2.392.1114.2008.543233.1||ES^^DCM\r",
     ""},
    {"OMG-13",
     MSH("ORU^R01^ORU_R01") PID PV1
     "ORC|SC|2011122000891|||CM||||20261101152042|||D1^医師^一郎^^^^^^^L^^^^^I|||||01^内科^99XY1\r"
     "OBR|1|2011122000891||9A110^標準１２誘導心電図^JC10|||20261101|||||||||||||||20261101152000|||"
     "F\r"
     "OBX|1|ST|9A100^心電図所見^JC10|1|心筋虚血疑い||||||F\r"
     "OBX|2|NM|32769^心拍数^99MFR|2|67|bpm|||||F\r"
     "OBX|3|SN|32770^PQ時間^99MFR|2|>^154|msec|||||F\r"
     "OBX|4|SN|32771^比^99MFR|3|^1^:^128||||||F\rOBX|5|SN|32772^軸^99MFR|3|^7^-^9||||||F\r"
     "OBX|6|TM|32773^時刻^99MFR|3|0930||||||F\rOBX|7|DR|32774^期間^99MFR|3|20261101^20261102||||||"
     "F\r",
     ""},
    {"OMP-02",
     MSH("RDE^O11^RDE_O11") PID PV1
     "ORC|NW|123456789012345||123456789012345_01_001|||||20261101012410|||D1^医師^一郎^^^^^^^L^^^^^"
     "I|||||01^内科^99XY1||||||||||||I^入院^HL70482\r"
     "RXE||00^一般^99I02|510||ML^ミリリットル^MR9P\rTQ1|1||||||202611010800|202611011300\r"
     "RXR|IV^静脈内^HL70162\rRXC|B|620007329^ソリタ^HOT9|1|HON^本^MR9P\rRXC|A|620002559^アドナ^"
     "HOT9|1|AMP^アンプル^MR9P\r",
     ""},
    {"OML-11",
     MSH("OUL^R22^OUL_R22") PID PV1
     "SPM|1|S1||023^血清^JC10|||||||||||||202611010900\r"
     "OBR||000000026000354||E002^生化学的検査^99O03|||202611010900\r"
     "ORC|SC|000000026000354|||||||20261101103000|||D1^医師^一郎^^^^^^^L^^^^^I\r"
     "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.20|g/dl^g/dl^ISO+|6.70-8.3|H|||F|||202611010900\r"
     "OBX|2|ST|3A999000000000000^定性^JC10|| 2 +||||||F|||202611010900\r"
     "OBX|3|CWE|5H010000001999911^血液型^JC10||A^A型^JSHR002||||||C|||202611010900\r",
     ""},
};

/* All that the message made, as a pool; the Patient apart. */
static size_t pool(const struct run *run, struct write_item *items, const struct json **ret_patient)
{
    size_t count = 0;

    for (struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        assert_true(count < ITEMS);
        items[count++] = (struct write_item){.type = slice_str(r->type),
                                             .id = json_str(r->resource, "id"),
                                             .resource = r->resource,
                                             .updated_ms = INT64_C(1795334400000),
                                             .pool = true};
        if (slice_is(items[count - 1].type, "Patient"))
            *ret_patient = r->resource;
    }
    return count;
}

/* The one with its id; ids are made of numbers and times as written, which may be written another
 * way: then the one at its place among those of its type. */
static const struct json *same_in(const struct run *again, const struct run *run,
                                  const struct json *resource)
{
    struct slice type = json_str(resource, "resourceType");
    size_t nth = 0;

    for (const struct mapped_resource *r = again->mapped->first; r; r = r->next) {
        if (slice_eq(json_str(r->resource, "id"), json_str(resource, "id")))
            return r->resource;
    }
    for (const struct mapped_resource *r = run->mapped->first; r && r->resource != resource;
         r = r->next)
        nth += slice_is(type, r->type);
    for (const struct mapped_resource *r = again->mapped->first; r; r = r->next) {
        if (slice_is(type, r->type) && nth-- == 0)
            return r->resource;
    }
    return NULL;
}

static void compare(const char *kind, const struct run *again, const struct run *run,
                    const struct json *resource, const char *except)
{
    const struct json *other = same_in(again, run, resource);

    if (!other)
        fail_msg("%s: no %.*s", kind, SLICE_ARG(json_str(resource, "id")));
    for (const struct json *member = resource->first; member; member = member->next) {
        const struct json *got = json_get_slice(other, member->key);
        if (slice_is(member->key, except) || slice_is(member->key, "id") ||
            (got && json_equal(member, got)))
            continue;
        struct buf want, have;
        buf_init(&want, LIMIT_MIB);
        buf_init(&have, LIMIT_MIB);
        json_print(&want, member);
        if (got)
            json_print(&have, got);
        fail_msg("%s: %.*s.%.*s\nwant %.*s\ngot  %.*s", kind,
                 SLICE_ARG(json_str(resource, "resourceType")), SLICE_ARG(member->key),
                 SLICE_ARG(buf_slice(&want)), SLICE_ARG(buf_slice(&have)));
    }
}

static void check_standard(const char *kind, const struct write_group *g, struct slice bytes)
{
    char path[512];
    struct arena *arena = arena_new(RUN_ARENA);
    struct inspection in;

    snprintf(path, sizeof(path), "000/123/00012345/%s/%s/00012345_%s_%s_%s_20261122170000000_-_1",
             g->care_date, g->kind, g->care_date, g->kind, g->order_no);
    inspect_file(arena, slice_str(path), bytes, &in);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        if (in.found[c].errors > 0)
            fail_msg("%s: %s at %s: %s", kind, inspect_name((enum inspect_check)c),
                     in.found[c].first->place, in.found[c].first->en);
    }
    arena_free(arena);
}

static bool is_member(const struct write_group *g, const struct write_item *item)
{
    for (const struct write_member *m = g->first; m; m = m->next) {
        if (m->item == item)
            return true;
    }
    return false;
}

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct write_item items[ITEMS];
        struct write_plan *plan = NULL;
        struct write_env env = {SLICE("1319999999"), SLICE("たすき病院"), SLICE("00012345"), NULL};
        struct run run, again;
        struct buf text, coded;
        size_t replaced = 0, written = 0;

        run_message(slice_str(rows[i].text), &run);
        assert_int_equal(run.err, ERR_OK);
        size_t count = pool(&run, items, &env.patient);
        assert_int_equal(write_plan_make(run.arena, items, count, &plan), ERR_OK);
        for (struct write_group *g = plan->groups; g; g = g->next) {
            if (strcmp(g->kind, rows[i].kind) != 0)
                continue;
            buf_init(&text, LIMIT_MIB);
            buf_init(&coded, LIMIT_MIB);
            assert_int_equal(write_message(plan, &env, g, &text), ERR_OK);
            assert_int_equal(write_encode(buf_slice(&text), &coded, &replaced), ERR_OK);
            check_standard(rows[i].kind, g, buf_slice(&coded));
            run_message(buf_slice(&coded), &again);
            assert_int_equal(again.err, ERR_OK);
            for (size_t j = 0; j < count; j++) {
                if (is_member(g, &items[j]) && !slice_is(items[j].type, "Patient"))
                    compare(rows[i].kind, &again, &run, items[j].resource, rows[i].except);
            }
            if (strcmp(g->kind, "ADT-00") == 0)
                compare(rows[i].kind, &again, &run, env.patient, "");
            run_end(&again);
            buf_fini(&text);
            buf_fini(&coded);
            written++;
        }
        if (written == 0)
            fail_msg("%s: no group", rows[i].kind);
        run_end(&run);
    }
}

/* What the standard lacks becomes a box, in the file only. */
static void test_gaiji(void **state)
{
    struct buf out;
    size_t replaced = 0;

    (void)state;
    buf_init(&out, LIMIT_MIB);
    assert_int_equal(write_encode(SLICE("髙😀"), &out, &replaced), ERR_OK);
    assert_int_equal(replaced, 2);
    assert_buf(&out, "\x1B$B\"#\"#\x1B(B");
    buf_fini(&out);
}

static const struct {
    const char *text, *kind, *date, *order;
    bool cancels;
} keys[] = {
    {MSH("OUL^R22") PID "SPM|1|||023|||||||||||||202611010900\rOBR||354||E\rORC|SC|354\r", "OML-11",
     "20261101", "000000000000354", false},
    {MSH("RDE^O11") PID "ORC|NW|A-17||1|||||20261101\rRXE||1\r", "OMP-01", "20261101", "", false},
    {MSH("RDE^O11") PID "ORC|CA|17||1|||||20261101\rRXE||1\rRXC|B\r", "OMP-02", "20261101",
     "000000000000017", true},
    {MSH("RAS^O17") PID "ORC|NW|17||17_01_001\rRXA|0|1|202611010830\r", "OMP-12", "20261101",
     "000000000000017", false},
    {MSH("OMG^O19") PID "ORC|NW|17|||||||20261101\rOBR||17||1^x^LENDO\r", "OMG-02", "20261101",
     "000000000000017", false},
    {MSH("ADT^A08") "EVN||20261101\r" PID, "ADT-00", "-", WRITE_NO_ORDER, false},
    {MSH("ADT^A11") "EVN||20261101\r" PID
                    "PV1|1|I||||||||||||||||||||||||||||||||||||||||||202611010900\r",
     "ADT-22", "20261101", WRITE_NO_ORDER, true},
    {MSH("ADT^A28") "EVN||20261101\r" PID, NULL, NULL, NULL, false},
    {MSH("OUL^R22") PID "SPM|1|||023\rOBR||354||E\r", NULL, NULL, NULL, false},
};

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(keys); i++) {
        struct arena *arena = arena_new(RUN_ARENA);
        struct hl7_message *m = NULL;
        struct write_group key = {0};
        struct err_list errors;

        err_list_init(&errors, arena);
        assert_int_equal(hl7_lex(arena, slice_str(keys[i].text), &errors, &m), ERR_OK);
        bool found = write_key(arena, m, &key);
        if (found != (keys[i].kind != NULL) ||
            (found && key.kind && strcmp(key.kind, keys[i].kind) != 0))
            fail_msg("key %zu: %s", i, key.kind ? key.kind : "none");
        if (found && strcmp(key.care_date, keys[i].date) != 0)
            fail_msg("key %zu: %s", i, key.care_date);
        if (found && keys[i].order[0] && strcmp(key.order_no, keys[i].order) != 0)
            fail_msg("key %zu: %s", i, key.order_no);
        if (found && key.kind)
            assert_int_equal(write_is_cancel(m, key.kind), keys[i].cancels);
        arena_free(arena);
    }
}

static void test_cancel(void **state)
{
    static const char order[] = MSH("RDE^O11^RDE_O11") PID "ORC|NW|17\rRXE||1\r";
    static const char visit[] =
        MSH("ADT^A01^ADT_A01") "EVN||20261101\r" PID "NK1|1\rPV1|1|I\rIN1|1\r";
    struct arena *arena = arena_new(RUN_ARENA);
    struct hl7_message *m = NULL;
    struct err_list errors;
    struct buf out;

    (void)state;
    err_list_init(&errors, arena);
    buf_init(&out, LIMIT_MIB);
    assert_int_equal(hl7_lex(arena, slice_str(order), &errors, &m), ERR_OK);
    assert_int_equal(write_cancel(m, "OMP-01", &out), ERR_OK);
    assert_buf(&out, MSH("RDE^O11^RDE_O11") PID "ORC|CA|17\rRXE||1\r");
    buf_clear(&out);
    assert_int_equal(hl7_lex(arena, slice_str(visit), &errors, &m), ERR_OK);
    assert_int_equal(write_cancel(m, "ADT-22", &out), ERR_OK);
    assert_buf(&out, MSH("ADT^A11^ADT_A09") "EVN||20261101\r" PID "PV1|1|I\r");
    buf_fini(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_gaiji),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
