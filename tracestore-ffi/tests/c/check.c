/* What the tests share. */
#include "check.h"

void check_code(const char *file, int line, const char *call, ts_code expected, ts_code code, ts_error *error)
{
    const char *message = error ? ts_error_message(error) : NULL;

    if (code != expected || ts_error_code(error) != expected || (code != TS_OK) != (message && *message)) {
        fprintf(stderr, "%s:%d: %s gives %s, not %s: %s\n", file, line, call, ts_code_name(code),
                ts_code_name(expected), message ? message : "no error");
        abort();
    }
    CHECK(ts_error_free(error) == TS_OK);
}

static uint8_t *put_bytes(uint8_t *out, int field, const void *bytes, size_t length)
{
    *out++ = (uint8_t)(field << 3 | 2);
    if (length >= 128) {
        *out++ = (uint8_t)(length | 128);
        *out++ = (uint8_t)(length >> 7);
    } else {
        *out++ = (uint8_t)length;
    }
    memcpy(out, bytes, length);
    return out + length;
}

static uint8_t *put_time(uint8_t *out, int field, uint64_t time)
{
    *out++ = (uint8_t)(field << 3 | 1);
    for (int byte = 0; byte < 8; byte++)
        *out++ = (uint8_t)(time >> (8 * byte));
    return out;
}

static uint8_t *put_attribute(uint8_t *out, int field, const char *key, const char *value)
{
    uint8_t text[100], pair[200];
    uint8_t *end = put_bytes(text, 1, value, strlen(value));
    uint8_t *pair_end = put_bytes(pair, 1, key, strlen(key));

    pair_end = put_bytes(pair_end, 2, text, (size_t)(end - text));
    return put_bytes(out, field, pair, (size_t)(pair_end - pair));
}

static size_t make_span(uint8_t *out, uint8_t trace, int number)
{
    uint8_t id[16], span[8] = {trace, 0, 0, 0, 0, 0, 0, (uint8_t)(number + 1)}, parent[8] = {trace, 0, 0, 0, 0, 0, 0, 1};
    uint64_t start = 1700000000000000000u + trace * 1000000000u + (unsigned)number * 1000000u;
    uint8_t *end = out;

    memset(id, trace, sizeof id);
    end = put_bytes(end, 1, id, sizeof id);
    end = put_bytes(end, 2, span, sizeof span);
    if (number)
        end = put_bytes(end, 4, parent, sizeof parent);
    end = number ? put_bytes(end, 5, "child", 5) : put_bytes(end, 5, "root", 4);
    end = put_time(end, 7, start);
    end = put_time(end, 8, start + 500000);
    end = put_attribute(end, 9, "user", number % 2 ? "ann" : "bob");
    return (size_t)(end - out);
}

uint8_t *make_request(uint8_t trace, int spans, size_t *length)
{
    uint8_t span[400], resource[200];
    uint8_t *all = malloc((size_t)spans * 410 + 1), *end = all;
    uint8_t *request = malloc((size_t)spans * 410 + 300);

    CHECK(all && request && spans <= 30);
    for (int number = 0; number < spans; number++)
        end = put_bytes(end, 2, span, make_span(span, trace, number));
    size_t scope = (size_t)(end - all);
    uint8_t *inner = malloc(scope + 300);
    CHECK(inner);
    size_t named = (size_t)(put_attribute(resource, 1, "service.name", trace % 2 ? "odd" : "even") - resource);
    end = put_bytes(inner, 1, resource, named);
    end = put_bytes(end, 2, all, scope);
    *length = (size_t)(put_bytes(request, 1, inner, (size_t)(end - inner)) - request);
    free(all);
    free(inner);
    return request;
}

ts_store *small_store(void)
{
    ts_store_options options = {.size = sizeof options, .threads = 1, .no_background = 1};
    ts_store *store;

    EXPECT(TS_OK, ts_store_open(NULL, &options, &store, &error));
    for (uint8_t trace = 1; trace <= 3; trace++) {
        ts_ingest_result result = {.size = sizeof result};
        size_t length;
        uint8_t *request = make_request(trace, 3, &length);
        EXPECT(TS_OK, ts_ingest(store, request, length, TS_OTLP_PROTOBUF, &result, &error));
        CHECK(result.requests == 1 && result.spans == 3 && result.refused == 0);
        free(request);
    }
    return store;
}

void check_text(ts_text *text, const char *words)
{
    CHECK(text && ts_text_length(text) == strlen(ts_text_data(text)));
    if (!strstr(ts_text_data(text), words)) {
        fprintf(stderr, "there is no `%s` in: %s\n", words, ts_text_data(text));
        abort();
    }
    CHECK(ts_text_free(text) == TS_OK);
}
