/* SPDX-License-Identifier: Apache-2.0
 *
 * The way in for XML: what is accepted in which character set, what is refused and where the fault
 * is said to be, that nothing is ever opened or expanded, that the costly shapes are refused
 * quickly, and the W3C conformance files.
 */
#include "lib/t.h"

#include <dirent.h>

#include "base/limits.h"
#include "base/when.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define CDA "urn:hl7-org:v3"
#define SECRET "/tmp/tasuki-xml-test-secret"

static void accepts(void **state)
{
    static const char utf16[] = "\xFF\xFE<\0a\0>\0\x42\x30<\0/\0a\0>\0"; /* U+3042, little-endian */
    static const char utf16be[] = "\xFE\xFF\0<\0a\0>\xD8\x3D\xDE\x00\0<\0/\0a\0>";
    static const struct {
        const char *text;
        size_t len; /* 0: strlen */
    } cases[] = {
        {"<a/>", 0},
        {"\xEF\xBB\xBF<?xml version=\"1.0\"?><a>\xE3\x81\x82</a>", 0},
        {"<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><a>\x82\xA0\x83\x5C</a>", 0},
        {"<?xml version='1.0' encoding='euc-jp'?><a>\xA4\xA2</a>", 0},
        {"<?xml version=\"1.0\" encoding=\"ISO-2022-JP\"?><a>\x1B$B$\"!<\x1B(B</a>", 0},
        {"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xE9</a>", 0},
        {utf16, sizeof(utf16) - 1},
        {utf16be, sizeof(utf16be) - 1},
        {"<a b='<' c=\">\"/>", 0},
        {"<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE y>]]><?p <!DOCTYPE z>?>&lt;&#x3042;</a>", 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct _xmlDoc *doc = NULL;
        struct xml_fault fault;
        size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
        enum err err = xml_parse(slice_of(cases[i].text, len), &doc, &fault);
        if (i == 8) { /* a bare < in a value is not well-formed */
            assert_int_equal(err, ERR_MALFORMED);
            continue;
        }
        if (err)
            fail_msg("%zu: %s", i, fault.en);
        assert_non_null(doc);
        xml_free(doc);
    }
    xml_free(NULL);
}

static void knows_the_root(void **state)
{
    struct _xmlDoc *doc = NULL;
    (void)state;
    assert_int_equal(xml_parse(SLICE("<c:ClinicalDocument xmlns:c='" CDA "'/>"), &doc, NULL),
                     ERR_OK);
    assert_true(xml_root_is(doc, CDA, "ClinicalDocument"));
    assert_false(xml_root_is(doc, CDA, "ClinicalDocumen"));
    assert_false(xml_root_is(doc, "urn:x", "ClinicalDocument"));
    xml_free(doc);
    assert_int_equal(xml_parse(SLICE("<ClinicalDocument/>"), &doc, NULL), ERR_OK);
    assert_false(xml_root_is(doc, CDA, "ClinicalDocument"));
    xml_free(doc);
}

static void refuses(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        unsigned line, column; /* 0: not looked at */
    } cases[] = {
        {"", ERR_MALFORMED, 0, 0},
        {"x", ERR_MALFORMED, 0, 0},
        {"<a>", ERR_MALFORMED, 1, 0},
        {"<a>\n<b></a>", ERR_MALFORMED, 2, 0},
        {"<a/><b/>", ERR_MALFORMED, 0, 0},
        {"<a b=1/>", ERR_MALFORMED, 0, 0},
        {"<a b='1' b='2'/>", ERR_MALFORMED, 0, 0},
        {"<a>&nbsp;</a>", ERR_MALFORMED, 0, 0},
        {"<a>&#0;</a>", ERR_MALFORMED, 0, 0},
        {"<a>\x01</a>", ERR_MALFORMED, 0, 0},
        {"<x:a/>", ERR_MALFORMED, 0, 0},
        {"<!DOCTYPE a><a/>", ERR_MALFORMED, 1, 1},
        {"<?xml version='1.0'?>\n <!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", ERR_MALFORMED, 2, 2},
        {"<!doctype a><a/>", ERR_MALFORMED, 1, 1},
        {"<!ENTITY e \"x\"><a/>", ERR_MALFORMED, 1, 1},
        {"<a><!ELEMENT b ANY></a>", ERR_MALFORMED, 1, 4},
        {"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", ERR_CHARSET, 0, 0},
        {"<?xml version=\"1.0\" encoding=\"EBCDIC-CP-US\"?><a/>", ERR_CHARSET, 0, 0},
        {"<a>\n\xFF</a>", ERR_CHARSET, 2, 1},
        {"<a>\xC0\xBC</a>", ERR_CHARSET, 1, 4},
        {"<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><a>\x82</a>", ERR_CHARSET, 0, 0},
        {"\xFF\xFE<\x00", ERR_CHARSET, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct _xmlDoc *doc = NULL;
        struct xml_fault fault = {99, 99, NULL, NULL};
        enum err err = xml_parse(slice_str(cases[i].text), &doc, &fault);
        if (err != cases[i].err)
            fail_msg("%zu %s: %s", i, cases[i].text, err_name(err));
        assert_null(doc);
        assert_non_null(fault.en);
        assert_non_null(fault.ja);
        if (cases[i].line)
            assert_int_equal(fault.line, cases[i].line);
        if (cases[i].column)
            assert_int_equal(fault.column, cases[i].column);
    }
}

/* A file that an entity names is never read: its text would be in the tree, or the parse would
 * succeed. */
static void opens_nothing(void **state)
{
    static const char *const attacks[] = {
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file://" SECRET "\">]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM \"file://" SECRET "\"><a/>",
        "<!DOCTYPE a [<!ENTITY % e SYSTEM \"http://127.0.0.1:9/\"> %e;]><a/>",
        "<!DOCTYPE a PUBLIC \"x\" \"http://127.0.0.1:9/\"><a/>",
        ("<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c "
         "\"&b;&b;&b;\">]><l>&c;</l>"),
    };
    struct _xmlDoc *doc = NULL;
    FILE *file = fopen(SECRET, "wb");
    (void)state;
    assert_non_null(file);
    fputs("<!ELEMENT a ANY>", file);
    fclose(file);
    for (size_t i = 0; i < T_COUNT(attacks); i++)
        assert_int_equal(xml_parse(slice_str(attacks[i]), &doc, NULL), ERR_MALFORMED);
    /* XInclude is only an element like any other */
    assert_int_equal(xml_parse(SLICE("<a><i:include xmlns:i='http://www.w3.org/2001/XInclude' "
                                     "href='file://" SECRET "'/></a>"),
                               &doc, NULL),
                     ERR_OK);
    xml_free(doc);
    remove(SECRET);
}

static void repeat(struct buf *out, const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buf_adds(out, text);
}

static void numbered(struct buf *out, const char *format, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (*format == 'x')
            buf_addf(out, " xmlns:p%u='u'", i);
        else
            buf_addf(out, " a%u='%u'", i, i);
    }
}

static enum err parse_buf(struct buf *b)
{
    struct _xmlDoc *doc = NULL;
    assert_int_equal(buf_err(b), ERR_OK);
    int64_t start = clock_monotonic_ms();
    enum err err = xml_parse(buf_slice(b), &doc, NULL);
    assert_true(clock_monotonic_ms() - start < 20000); /* generous: sanitizers, busy machines */
    xml_free(doc);
    buf_fini(b);
    buf_init(b, LIMIT_XML_BYTES + 100);
    return err;
}

static void bounds_what_is_costly(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, LIMIT_XML_BYTES + 100);
    for (unsigned more = 0; more < 2; more++) {
        enum err deep = more ? ERR_TOO_DEEP : ERR_OK, large = more ? ERR_TOO_LARGE : ERR_OK;
        repeat(&b, "<a>", LIMIT_XML_DEPTH - 1 + more);
        buf_adds(&b, "<b/>");
        repeat(&b, "</a>", LIMIT_XML_DEPTH - 1 + more);
        assert_int_equal(parse_buf(&b), deep);

        buf_adds(&b, "<a");
        numbered(&b, "a", LIMIT_XML_ATTRIBUTES + more);
        buf_adds(&b, "/>");
        assert_int_equal(parse_buf(&b), large);

        buf_adds(&b, "<a><b");
        numbered(&b, "x", LIMIT_XML_NAMESPACES);
        buf_adds(&b, more ? "><c xmlns='u'/></b></a>" : "/><c xmlns='u'/></a>");
        assert_int_equal(parse_buf(&b), large);

        buf_adds(&b, "<a b='");
        repeat(&b, "1234567890", LIMIT_XML_TAG); /* a value may be long */
        buf_addc(&b, '\'');
        repeat(&b, "          ", LIMIT_XML_TAG / 10 - 1 + 2 * more);
        buf_adds(&b, "/>");
        assert_int_equal(parse_buf(&b), large);

        buf_adds(&b, "<a>");
        repeat(&b, "<b/>", LIMIT_XML_NODES - 2 + more); /* and two tags of a */
        buf_adds(&b, "</a>");
        assert_int_equal(parse_buf(&b), large);
    }
    repeat(&b, "</a>", 100000); /* ends without beginnings */
    assert_int_equal(parse_buf(&b), ERR_MALFORMED);
    repeat(&b, "<a b='>' ", 1000); /* all one tag */
    assert_int_equal(parse_buf(&b), ERR_TOO_LARGE);
    buf_adds(&b, "<a>");
    repeat(&b, "1234567890", LIMIT_XML_BYTES / 10 + 1);
    assert_int_equal(parse_buf(&b), ERR_TOO_LARGE);
    buf_fini(&b);
}

struct counts {
    unsigned wrong_accepted, refused, doctype, files;
};

/* The word stands in a comment, an instruction or a CDATA section there. */
static bool only_says_doctype(const char *path)
{
    return strstr(path, "oasis/p15pass1") || strstr(path, "oasis/p16pass1") ||
           strstr(path, "oasis/p18pass1");
}

static void check_file(const char *path, bool bad, struct counts *counts)
{
    FILE *file = fopen(path, "rb");
    static char bytes[1 << 20];
    struct _xmlDoc *doc = NULL;
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    struct slice text = slice_of(bytes, len);
    bool doctype = slice_search(text, SLICE("<!DOCTYPE"), 0) < len && !only_says_doctype(path);
    bool accepted = xml_parse(text, &doc, NULL) == ERR_OK;
    xml_free(doc);
    counts->files++;
    counts->refused += !accepted;
    counts->doctype += doctype && !accepted;
    if (accepted && (bad || doctype)) {
        print_message("accepted: %s\n", path);
        counts->wrong_accepted++;
    }
}

static void walk(const char *folder, struct counts *counts)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[4096];
        struct stat info;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            walk(path, counts);
        else if (slice_ends(slice_str(path), SLICE(".xml")))
            check_file(path, strstr(path, "/not-wf/") && !strstr(path, "/xml-1.1/"), counts);
    }
    closedir(dir);
}

/* We refuse every DTD, so of the conformance suite (its XML 1.0 part) only this is left to hold:
 * nothing not well-formed gets in, and no file with a DOCTYPE does. */
static void holds_against_the_suite(void **state)
{
    char path[4096];
    struct counts counts = {0};
    (void)state;
    if (!t_corpus("torture/xml-conformance", path, sizeof(path)))
        skip();
    walk(path, &counts);
    printf("xml conformance: %u passed, %u failed (%u refused, %u of them for their DOCTYPE)\n",
           counts.files - counts.wrong_accepted, counts.wrong_accepted, counts.refused,
           counts.doctype);
    assert_int_equal(counts.wrong_accepted, 0);
    assert_true(counts.files > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(knows_the_root),
        cmocka_unit_test(refuses),
        cmocka_unit_test(opens_nothing),
        cmocka_unit_test(bounds_what_is_costly),
        cmocka_unit_test(holds_against_the_suite),
    };
    return T_RUN(tests);
}
