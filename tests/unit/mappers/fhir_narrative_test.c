/* SPDX-License-Identifier: Apache-2.0
 *
 * Narratives that may stand, and the many ways to smuggle something active or broken into one.
 */
#include "lib/t.h"

#include "base/limits.h"
#include "mappers/fhir/narrative.h"

#include "base/banned.h"

#define X "<div xmlns=\"http://www.w3.org/1999/xhtml\">"

static const char *const good[] = {
    X "x</div>",
    "<div>x</div>",
    X "<p class='a' style=\"color: red\">あ &amp; &lt; &#169; &#x3042; &nbsp;</p></div>",
    X "<table border=\"1\"><tr><td colspan=\"2\">1</td></tr></table><br/><hr /></div>",
    X "<a href=\"http://x/y?a=b&amp;c=d\">l</a><a href=\"#top\">t</a><a name=\"n\">n</a></div>",
    X "<a href=\"Patient/1\">p</a><a href=\"urn:oid:1.2\">o</a><a href=\"mailto:a@b\">m</a></div>",
    X "<img src=\"data:image/png;base64,AAAA\" alt=\"x\"/><img src=\"#p\"/></div>",
    X "<!-- a comment -->x</div>",
    X "x</div>\n",
    X "<div><div>nested</div></div></div>",
    X "<ul><li>a</li><li>b</li></ul></div >",
};

static const char *const bad[] = {
    "",
    "x",
    "<p>x</p>",
    X "x",
    X "x</p>",
    X "x</div>y",
    X "x</div>" X "y</div>",
    " " X "x</div>",
    X "<script>alert(1)</script></div>",
    X "<SCRIPT>x</SCRIPT></div>",
    X "<iframe src=\"http://x\">x</iframe></div>",
    X "<object>x</object></div>",
    X "<form action=\"x\">x</form></div>",
    X "<input value=\"x\"/></div>",
    X "<style>p{}</style></div>",
    X "<svg>x</svg></div>",
    X "<p onclick=\"x()\">x</p></div>",
    X "<p ONCLICK=\"x()\">x</p></div>",
    X "<a href=\"javascript:x\">x</a></div>",
    X "<a href=\"JavaScript:x\">x</a></div>",
    X "<a href=\" javascript:x\">x</a></div>",
    X "<a href=\"java\tscript:x\">x</a></div>",
    X "<a href=\"&#106;avascript:x\">x</a></div>",
    X "<a href=\"javascript&#58;x\">x</a></div>",
    X "<a href=\"vbscript:x\">x</a></div>",
    X "<a href=\"data:text/html,x\">x</a></div>",
    X "<a href=\":x\">x</a></div>",
    X "<a href=\"verylongscheme:x\">x</a></div>",
    X "<img src=\"data:text/html,x\"/></div>",
    X "<img src=\"data:image/svg+xml,x\"/></div>",
    X "<img src=\"javascript:x\"/></div>",
    X "<p style=\"background: url(http://x)\">x</p></div>",
    X "<p style=\"width: Expression(x)\">x</p></div>",
    X "<p style=\"background: u&#114;l(x)\">x</p></div>",
    X "<p style=\"background: u\\72l(x)\">x</p></div>",
    X "<p class=x>x</p></div>",
    X "<p class=\"x\" id=\"y\" class=\"z\">x</p></div>",
    X "<p class>x</p></div>",
    X "<p class=\"x\"title=\"y\">x</p></div>",
    X "<p class=\"<\">x</p></div>",
    X "<p class=\"x>x</p></div>",
    X "<p class=\"&x\">x</p></div>",
    X "<p>x</div>",
    X "<b><i>x</b></i></div>",
    X "a & b</div>",
    X "&;</div>",
    X "&#;</div>",
    X "&#x;</div>",
    X "&#12a;</div>",
    X "&unending",
    X "<!-- a -- b -->x</div>",
    X "<!-- open",
    X "<![CDATA[x]]></div>",
    X "<?php x ?></div>",
    "<!DOCTYPE div>" X "x</div>",
    "<div xmlns=\"http://evil\">x</div>",
    X "\x01</div>",
    X "< p>x</p></div>",
    X "<",
    X "<p",
    X "<p ",
    X "<p class",
    X "<p class=",
    X "<p class=\"",
    X "</",
    X "</div",
};

static void sorts_good_from_bad(void **state)
{
    const char *en;
    const char *ja;
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        if (!narrative_ok(slice_str(good[i]), &en, &ja) || en || ja)
            fail_msg("refused: %s (%s)", good[i], en);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        size_t len = strlen(bad[i]);
        char *exact = malloc(len + 1); /* exact size: a read past the end is seen */
        assert_non_null(exact);
        memcpy(exact, bad[i], len);
        if (narrative_ok(slice_of(exact, len), &en, &ja))
            fail_msg("passed: %s", bad[i]);
        assert_true(en && ja);
        free(exact);
    }
}

static void warns_of_empty_ones(void **state)
{
    static const char *const empty[] = {X "</div>", X " \n <p/></div>", "<div/>",
                                        X "<!-- x --></div>"};
    const char *en;
    const char *ja;
    (void)state;
    for (size_t i = 0; i < T_COUNT(empty); i++) {
        assert_true(narrative_ok(slice_str(empty[i]), &en, &ja));
        assert_true(en && ja);
    }
}

static void bounds_nesting(void **state)
{
    struct buf text;
    const char *en;
    const char *ja;
    (void)state;
    for (unsigned depth = LIMIT_FHIR_NARRATIVE_DEPTH; depth < LIMIT_FHIR_NARRATIVE_DEPTH + 2;
         depth++) {
        buf_init(&text, 10000);
        for (unsigned i = 0; i < depth; i++)
            buf_adds(&text, "<div>");
        buf_adds(&text, "x");
        for (unsigned i = 0; i < depth; i++)
            buf_adds(&text, "</div>");
        assert_int_equal(narrative_ok(buf_slice(&text), &en, &ja),
                         depth == LIMIT_FHIR_NARRATIVE_DEPTH);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_good_from_bad),
        cmocka_unit_test(warns_of_empty_ones),
        cmocka_unit_test(bounds_nesting),
    };
    return T_RUN(tests);
}
