/* Calls that are ended from outside, and what the library says beside its answers. */
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

static int count_calls(const ts_progress *progress, void *data)
{
    CHECK(progress->elapsed < 3600000000000u);
    return ++*(int *)data > 1000000;
}

static int stop_at_once(const ts_progress *progress, void *data)
{
    CHECK(progress && !data);
    return 1;
}

static void *raise(void *interrupt)
{
    CHECK(ts_interrupt_raise(interrupt) == TS_OK);
    return NULL;
}

static void interrupts(ts_store *store)
{
    ts_interrupt *interrupt = ts_interrupt_new();
    const ts_query_options options = {.size = sizeof options, .interrupt = interrupt};
    const ts_tag_options tags = {.size = sizeof tags, .interrupt = interrupt};
    ts_text *text;
    pthread_t thread;

    EXPECT(TS_OK, ts_query_json(store, "{ }", 3, &options, TS_JSON, &text, &error));
    CHECK(ts_text_free(text) == TS_OK);
    CHECK(ts_interrupt_raise(interrupt) == TS_OK);
    EXPECT(TS_INTERRUPTED, ts_query_json(store, "{ }", 3, &options, TS_JSON, &text, &error));
    EXPECT(TS_INTERRUPTED, ts_query_json(store, "{ } | rate()", 12, &options, TS_JSON, &text, &error));
    EXPECT(TS_INTERRUPTED, ts_explain(store, "{ }", 3, &options, 1, &text, &error));
    EXPECT(TS_INTERRUPTED, ts_tag_names(store, &tags, &text, &error));
    EXPECT(TS_INTERRUPTED, ts_tag_values(store, "span.user", 9, &tags, &text, &error));
    CHECK(text == NULL && ts_interrupt_clear(interrupt) == TS_OK);
    /* From another thread, at any moment: queries succeed until one does not. */
    CHECK(pthread_create(&thread, NULL, raise, interrupt) == 0);
    ts_code code;
    while ((code = ts_query_json(store, "{ } >> { }", 10, &options, TS_JSON, &text, NULL)) == TS_OK)
        CHECK(ts_text_free(text) == TS_OK);
    CHECK(code == TS_INTERRUPTED && pthread_join(thread, NULL) == 0);
    CHECK(ts_interrupt_free(interrupt) == TS_OK);
}

static void progress(ts_store *store)
{
    int calls = 0;
    const ts_query_options counting = {.size = sizeof counting, .progress = count_calls, .progress_data = &calls};
    const ts_query_options stopping = {.size = sizeof stopping, .progress = stop_at_once};
    ts_text *text;

    EXPECT(TS_OK, ts_query_json(store, "{ }", 3, &counting, TS_JSON, &text, &error));
    CHECK(calls > 0 && ts_text_free(text) == TS_OK);
    EXPECT(TS_INTERRUPTED, ts_query_json(store, "{ }", 3, &stopping, TS_JSON, &text, &error));
}

struct heard {
    atomic_int messages;
    atomic_int refusals;
};

static void hear(uint32_t level, const char *target, const char *message, void *data)
{
    struct heard *heard = data;

    CHECK(level >= TS_LOG_ERROR && level <= TS_LOG_DEBUG && *target && *message);
    heard->messages++;
    heard->refusals += strstr(message, "refused") != NULL;
    /* Nothing may be called from here but this, which is refused. */
    CHECK(ts_set_log(TS_LOG_OFF, NULL, NULL) == TS_INVALID_ARGUMENT);
}

static void logs(const struct place *place)
{
    static const char json[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"\",\"spanId\":\"\"}]}]}]}";
    struct heard heard = {0};
    ts_ingest_result result = {.size = sizeof result};
    ts_store *store;

    /* There is one log for the whole process. */
    if (place->thread != 0)
        return;
    EXPECT(TS_OK, ts_store_open(NULL, NULL, &store, &error));
    CHECK(ts_set_log(TS_LOG_WARN, hear, &heard) == TS_OK);
    EXPECT(TS_OK, ts_ingest(store, (const uint8_t *)json, strlen(json), TS_OTLP_JSON, &result, &error));
    CHECK(ts_set_log(TS_LOG_OFF, NULL, NULL) == TS_OK);
    CHECK(result.refused == 1 && result.refused_trace_id == 1 && heard.refusals >= 1);
    int before = heard.messages;
    EXPECT(TS_OK, ts_ingest(store, (const uint8_t *)json, strlen(json), TS_OTLP_JSON, NULL, &error));
    CHECK(heard.messages == before);
    EXPECT(TS_OK, ts_store_close(store, &error));
}

void test_ends(const struct place *place)
{
    ts_store *store = small_store();

    interrupts(store);
    progress(store);
    EXPECT(TS_OK, ts_store_close(store, &error));
    logs(place);
}
