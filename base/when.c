/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates and times of FHIR R4 (datatypes.html#dateTime) and HL7 v2 (section 2.A.22 DTM), read into
 * spans and printed back. The calendar is our own arithmetic on the proleptic Gregorian calendar:
 * the C library's depends on a global zone and locale. Parsers fill one struct of fields, check it
 * once, and turn it into a span once. A leap second counts as the last millisecond of its minute.
 */
#include "base/when.h"

#include <assert.h>
#include <time.h>

#include "base/banned.h"

#define MS_MINUTE INT64_C(60000)
#define MS_HOUR INT64_C(3600000)
#define MS_DAY INT64_C(86400000)
#define MS_JST (WHEN_JST_MINUTES * MS_MINUTE)
#define ZONE_LIMIT 840 /* minutes: FHIR's pattern ends at 14:00 */

enum precision { TO_YEAR, TO_MONTH, TO_DAY, TO_HOUR, TO_MINUTE, TO_SECOND, TO_FRACTION };

/* A point in time as written. */
struct fields {
    enum precision precision;
    int year, month, day, hour, minute, second;
    struct slice fraction; /* digits after the point */
    bool zoned;
    int zone; /* minutes east of Greenwich */
};

/* What is still to be read of a text. */
struct reader {
    const char *at;
    const char *end;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01. The year is taken to begin in March, so that the leap day is its last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, struct fields *ret_fields)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t shifted = (5 * doy + 2) / 153; /* month from March */
    ret_fields->day = (int)(doy - (153 * shifted + 2) / 5 + 1);
    ret_fields->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    ret_fields->year = (int)(yoe + era * 400 + (ret_fields->month <= 2));
}

/* Exactly COUNT digits as a number. */
static bool read_digits(struct reader *r, int count, int *ret_value)
{
    int value = 0;
    if (r->end - r->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        if (r->at[i] < '0' || r->at[i] > '9')
            return false;
        value = value * 10 + (r->at[i] - '0');
    }
    r->at += count;
    *ret_value = value;
    return true;
}

static bool read_char(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool at_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* ".123": one digit at least. True also when there is no point. */
static bool read_fraction(struct reader *r, struct fields *f)
{
    if (!read_char(r, '.'))
        return true;
    const char *from = r->at;
    while (at_digit(r))
        r->at++;
    f->fraction = slice_of(from, (size_t)(r->at - from));
    f->precision = TO_FRACTION;
    return f->fraction.len > 0;
}

/* "Z" (FHIR only), "+09:00" or, with no COLON, "+0900". True also at the end of the text. */
static bool read_zone(struct reader *r, bool colon, struct fields *f)
{
    int hours;
    int minutes;
    if (r->at == r->end)
        return true;
    f->zoned = true;
    if (colon && read_char(r, 'Z'))
        return r->at == r->end;
    int sign = *r->at == '-' ? -1 : 1;
    if (!read_char(r, '+') && !read_char(r, '-'))
        return false;
    if (!read_digits(r, 2, &hours) || (colon && !read_char(r, ':')) || !read_digits(r, 2, &minutes))
        return false;
    f->zone = sign * (hours * 60 + minutes);
    return minutes < 60 && hours * 60 + minutes <= ZONE_LIMIT && r->at == r->end;
}

static bool in_calendar(const struct fields *f)
{
    return f->year >= 1 && f->month >= 1 && f->month <= 12 && f->day >= 1 &&
           f->day <= month_days(f->year, f->month) && f->hour <= 23 && f->minute <= 59 &&
           f->second <= 60;
}

/* The fraction in milliseconds, cut after the third digit, and how long its last digit lasts. */
static int64_t fraction_ms(struct slice fraction, int64_t *ret_width)
{
    int64_t ms = 0;
    int64_t width = 1000;
    for (size_t i = 0; i < fraction.len && width > 1; i++) {
        width /= 10;
        ms += (fraction.ptr[i] - '0') * width;
    }
    *ret_width = width;
    return ms;
}

static struct when span(const struct fields *f)
{
    int64_t zone = f->zoned ? f->zone : WHEN_JST_MINUTES;
    int64_t width = MS_DAY;
    int64_t day = days_from_civil(f->year, f->month, f->day);
    int64_t lo = day * MS_DAY - zone * MS_MINUTE;
    if (f->precision == TO_YEAR)
        width = (days_from_civil(f->year + 1, 1, 1) - day) * MS_DAY;
    else if (f->precision == TO_MONTH)
        width = month_days(f->year, f->month) * MS_DAY;
    else if (f->precision >= TO_HOUR)
        width = f->precision == TO_HOUR ? MS_HOUR : MS_MINUTE;
    lo += f->hour * MS_HOUR + f->minute * MS_MINUTE;
    if (f->precision >= TO_SECOND && f->second == 60) {
        lo += MS_MINUTE - 1;
        width = 1;
    } else if (f->precision >= TO_SECOND) {
        lo += f->second * INT64_C(1000) + fraction_ms(f->fraction, &width);
    }
    return (struct when){lo, lo + width};
}

/* The time of day in FHIR's form, from after the "T". */
static bool read_fhir_time(struct reader *r, bool lenient, struct fields *f)
{
    f->precision = TO_MINUTE;
    if (!read_digits(r, 2, &f->hour) || !read_char(r, ':') || !read_digits(r, 2, &f->minute))
        return false;
    if (read_char(r, ':')) {
        f->precision = TO_SECOND;
        if (!read_digits(r, 2, &f->second) || !read_fraction(r, f))
            return false;
    } else if (!lenient) {
        return false;
    }
    return read_zone(r, true, f) && (f->zoned || lenient);
}

static bool read_fhir(struct reader *r, bool lenient, struct fields *f)
{
    f->precision = TO_YEAR;
    if (!read_digits(r, 4, &f->year))
        return false;
    if (!read_char(r, '-'))
        return r->at == r->end;
    f->precision = TO_MONTH;
    if (!read_digits(r, 2, &f->month))
        return false;
    if (!read_char(r, '-'))
        return r->at == r->end;
    f->precision = TO_DAY;
    if (!read_digits(r, 2, &f->day))
        return false;
    if (!read_char(r, 'T'))
        return r->at == r->end;
    return read_fhir_time(r, lenient, f);
}

bool when_parse_fhir(struct slice text, bool lenient, struct when *ret_when)
{
    struct fields f = {.month = 1, .day = 1};
    if (text.len == 0)
        return false;
    struct reader r = {text.ptr, text.ptr + text.len};
    if (!read_fhir(&r, lenient, &f) || !in_calendar(&f))
        return false;
    *ret_when = span(&f);
    return true;
}

static bool read_hl7(struct slice text, struct fields *f)
{
    int *const parts[] = {&f->month, &f->day, &f->hour, &f->minute, &f->second};
    if (text.len == 0)
        return false;
    struct reader r = {text.ptr, text.ptr + text.len};
    f->precision = TO_YEAR;
    if (!read_digits(&r, 4, &f->year))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && at_digit(&r); i++) {
        if (!read_digits(&r, 2, parts[i]))
            return false;
        f->precision = (enum precision)(TO_MONTH + i);
    }
    if (f->precision == TO_SECOND && !read_fraction(&r, f))
        return false;
    return read_zone(&r, false, f) && in_calendar(f);
}

bool when_parse_hl7(struct slice text, struct when *ret_when)
{
    struct fields f = {.month = 1, .day = 1};
    if (!read_hl7(text, &f))
        return false;
    *ret_when = span(&f);
    return true;
}

/* A mark and a number of two digits. */
static void print_part(struct buf *out, char mark, int value)
{
    buf_addc(out, mark);
    buf_add_decimal(out, (uint64_t)value, 2);
}

static void print_date(const struct fields *f, enum precision precision, struct buf *out)
{
    buf_add_decimal(out, (uint64_t)f->year, 4);
    if (precision >= TO_MONTH)
        print_part(out, '-', f->month);
    if (precision >= TO_DAY)
        print_part(out, '-', f->day);
}

bool when_hl7_to_fhir(struct slice text, struct buf *out)
{
    struct fields f = {.month = 1, .day = 1};
    if (!read_hl7(text, &f))
        return false;
    print_date(&f, f.precision, out);
    if (f.precision < TO_HOUR)
        return true;
    print_part(out, 'T', f.hour);
    print_part(out, ':', f.minute);
    print_part(out, ':', f.second);
    if (f.precision == TO_FRACTION) {
        buf_addc(out, '.');
        buf_add(out, f.fraction);
    }
    int zone = f.zoned ? f.zone : WHEN_JST_MINUTES;
    int size = zone < 0 ? -zone : zone;
    print_part(out, zone < 0 ? '-' : '+', size / 60);
    print_part(out, ':', size % 60);
    return true;
}

bool when_hl7_to_date(struct slice text, struct buf *out)
{
    struct fields f = {.month = 1, .day = 1};
    if (!read_hl7(text, &f))
        return false;
    print_date(&f, f.precision, out);
    return true;
}

/* What a clock at ZONE_MS east of Greenwich shows at MS; outside the years 1 to 9999, which no form
 * below can write, the nearest moment inside. Sets RET_MS to the milliseconds of the second. */
static struct fields broken_down(int64_t ms, int64_t zone_ms, int *ret_ms)
{
    struct fields f = {.precision = TO_FRACTION};
    const int64_t first = days_from_civil(1, 1, 1) * MS_DAY;
    const int64_t last = days_from_civil(10000, 1, 1) * MS_DAY - 1;
    int64_t local = ms < first - zone_ms ? first : ms > last - zone_ms ? last : ms + zone_ms;
    int64_t day = (local >= 0 ? local : local - (MS_DAY - 1)) / MS_DAY;
    int64_t rest = local - day * MS_DAY;
    civil_from_days(day, &f);
    f.hour = (int)(rest / MS_HOUR);
    f.minute = (int)(rest % MS_HOUR / MS_MINUTE);
    f.second = (int)(rest % MS_MINUTE / 1000);
    *ret_ms = (int)(rest % 1000);
    return f;
}

void when_print_instant(struct buf *out, int64_t ms)
{
    int part;
    struct fields f = broken_down(ms, MS_JST, &part);
    const struct {
        int value;
        unsigned width;
        char after;
    } parts[] = {{f.year, 4, '-'},   {f.month, 2, '-'},  {f.day, 2, 'T'}, {f.hour, 2, ':'},
                 {f.minute, 2, ':'}, {f.second, 2, '.'}, {part, 3, '+'}};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        buf_add_decimal(out, (uint64_t)parts[i].value, parts[i].width);
        buf_addc(out, parts[i].after);
    }
    buf_adds(out, "09:00");
}

void when_print_date(struct buf *out, int64_t ms)
{
    int part;
    struct fields f = broken_down(ms, MS_JST, &part);
    print_date(&f, TO_DAY, out);
}

void when_print_hl7(struct buf *out, int64_t ms)
{
    int part;
    struct fields f = broken_down(ms, MS_JST, &part);
    buf_addf(out, "%04d%02d%02d%02d%02d%02d.%03d+0900", f.year, f.month, f.day, f.hour, f.minute,
             f.second, part);
}

void when_print_stamp(struct buf *out, int64_t ms)
{
    int part;
    struct fields f = broken_down(ms, MS_JST, &part);
    buf_addf(out, "%04d%02d%02d%02d%02d%02d%03d", f.year, f.month, f.day, f.hour, f.minute,
             f.second, part);
}

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void when_print_http(struct buf *out, int64_t ms)
{
    static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    int part;
    struct fields f = broken_down(ms, 0, &part);
    /* 0001-01-01 was a Monday, and no day lies before it. */
    int64_t day = days_from_civil(f.year, f.month, f.day) - days_from_civil(1, 1, 1);
    buf_addf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[day % 7], f.day,
             month_names[f.month - 1], f.year, f.hour, f.minute, f.second);
}

/* The digits of TEXT at AT as a number of at most MAX. */
static bool read_part(struct slice text, size_t at, size_t len, uint64_t max, int *ret_value)
{
    uint64_t value = 0;
    if (!slice_u64(slice_sub(text, at, len), &value) || value > max)
        return false;
    *ret_value = (int)value;
    return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
bool when_parse_http(struct slice text, int64_t *ret_ms)
{
    static const char form[] = "   , 00     0000 00:00:00 GMT";
    int day, year, hour, minute, second, month = 0;
    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 3; i < text.len; i++)
        if (form[i] == '0' ? text.ptr[i] < '0' || text.ptr[i] > '9'
                           : text.ptr[i] != form[i] && (i < 8 || i > 10))
            return false;
    while (month < 12 && !slice_is(slice_sub(text, 8, 3), month_names[month]))
        month++;
    if (month == 12 || !read_part(text, 5, 2, 31, &day) || !read_part(text, 12, 4, 9999, &year) ||
        !read_part(text, 17, 2, 23, &hour) || !read_part(text, 20, 2, 59, &minute) ||
        !read_part(text, 23, 2, 60, &second) || day == 0 || year == 0)
        return false;
    *ret_ms = days_from_civil(year, month + 1, day) * MS_DAY + hour * MS_HOUR + minute * MS_MINUTE +
              second * 1000;
    return true;
}

int when_day_number(int64_t ms)
{
    int part;
    struct fields f = broken_down(ms, MS_JST, &part);
    return f.year * 10000 + f.month * 100 + f.day;
}

int64_t when_from_date(int year, int month, int day)
{
    assert(month >= 1 && month <= 12);
    return days_from_civil(year, month, day) * MS_DAY - MS_JST;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    int rc = clock_gettime(id, &now);
    assert(rc == 0);
    (void)rc;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_now_ms(const struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {system_now_ms};

int64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
