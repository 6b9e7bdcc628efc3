-- DuckDB views over one block (see FORMAT.md). Say first where it is:
--
--   SET VARIABLE block = 'traces/blocks/0199f7c2-…';
--   .read duckdb_views.sql
--   SELECT service, name, duration, attributes['http.method'] FROM spans WHERE status_code = 2 LIMIT 10;
--
-- Attribute values are JSON: text, number, true or false, a list of these; anything else as OTLP writes it. `attributes`
-- holds the first occurrence of each key, which is what queries see; `attribute_values` has every one.

CREATE OR REPLACE MACRO scalar_json(text_value, int_value, float_value, bool_value) AS
  CASE
    WHEN text_value IS NOT NULL THEN to_json(text_value)
    WHEN int_value IS NOT NULL THEN to_json(int_value)
    WHEN bool_value IS NOT NULL THEN to_json(bool_value)
    -- JSON has no word for infinities and NaN: they are text.
    WHEN isfinite(float_value) THEN to_json(float_value)
    ELSE to_json(float_value::VARCHAR)
  END;

-- The residual table, arrays put together again.
CREATE OR REPLACE VIEW residual_values AS
  SELECT scope, "row", key, repeat,
    CASE
      WHEN any_value(array_len) > 0 THEN to_json(list(scalar_json(str, int, float, bool) ORDER BY number))
      ELSE any_value(coalesce(json::JSON, scalar_json(str, int, float, bool)))
    END AS value
  FROM (
    SELECT *, file_row_number AS number
    FROM read_parquet(getvariable('block') || '/attributes.parquet', file_row_number = true)
  )
  GROUP BY ALL;

-- Attributes with a column of their own. Each list of columns has one that is always there, so that it is never empty.
CREATE OR REPLACE VIEW span_columns AS
  WITH rows AS (
    SELECT *, file_row_number AS "row" FROM read_parquet(getvariable('block') || '/spans.parquet', file_row_number = true)
  )
  SELECT "row", name, to_json(value) AS value FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'span.%:str' OR c = 'trace_state') FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'span.%:int' OR c = 'duration') FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, scalar_json(NULL, NULL, value, NULL) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'span.%:float' OR c = 'duration')::DOUBLE FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'span.%:bool' OR c = 'duration')::BOOLEAN FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value);

CREATE OR REPLACE VIEW event_columns AS
  WITH rows AS (
    SELECT *, file_row_number AS "row" FROM read_parquet(getvariable('block') || '/events.parquet', file_row_number = true)
  )
  SELECT "row", name, to_json(value) AS value FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'event.%:str' OR c = 'name') FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'event.%:int' OR c = 'time_since_start') FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, scalar_json(NULL, NULL, value, NULL) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'event.%:float' OR c = 'time_since_start')::DOUBLE FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'event.%:bool' OR c = 'time_since_start')::BOOLEAN FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value);

CREATE OR REPLACE VIEW link_columns AS
  WITH rows AS (
    SELECT *, file_row_number AS "row" FROM read_parquet(getvariable('block') || '/links.parquet', file_row_number = true)
  )
  SELECT "row", name, to_json(value) AS value FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'link.%:str' OR c = 'trace_state') FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'link.%:int' OR c = 'flags')::BIGINT FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, scalar_json(NULL, NULL, value, NULL) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'link.%:float' OR c = 'flags')::DOUBLE FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value)
  UNION ALL
  SELECT "row", name, to_json(value) FROM (
    UNPIVOT (SELECT "row", COLUMNS(lambda c: c LIKE 'link.%:bool' OR c = 'flags')::BOOLEAN FROM rows)
    ON COLUMNS(* EXCLUDE "row") INTO NAME name VALUE value);

-- Every attribute value: scope (0 resource, 1 instrumentation, 2 span, 3 event, 4 link), row of the owner, key,
-- which occurrence of the key, value.
CREATE OR REPLACE VIEW attribute_values AS
  SELECT scope, "row", key, repeat, value FROM residual_values
  UNION ALL
  SELECT 2, "row", regexp_extract(name, '^span\.(.*):[a-z]+$', 1, 's'), 0, value FROM span_columns WHERE name LIKE 'span.%:%'
  UNION ALL
  SELECT 3, "row", regexp_extract(name, '^event\.(.*):[a-z]+$', 1, 's'), 0, value FROM event_columns WHERE name LIKE 'event.%:%'
  UNION ALL
  SELECT 4, "row", regexp_extract(name, '^link\.(.*):[a-z]+$', 1, 's'), 0, value FROM link_columns WHERE name LIKE 'link.%:%';

CREATE OR REPLACE VIEW attribute_maps AS
  SELECT scope, "row", map_from_entries(list((key, value) ORDER BY key)) AS attributes
  FROM attribute_values WHERE repeat = 0 GROUP BY scope, "row";

CREATE OR REPLACE VIEW resources AS
  SELECT r.* EXCLUDE file_row_number, file_row_number AS resource, a.attributes
  FROM read_parquet(getvariable('block') || '/resources.parquet', file_row_number = true) r
  LEFT JOIN attribute_maps a ON a.scope = 0 AND a."row" = r.file_row_number;

CREATE OR REPLACE VIEW scopes AS
  SELECT s.* EXCLUDE file_row_number, file_row_number AS scope, a.attributes
  FROM read_parquet(getvariable('block') || '/scopes.parquet', file_row_number = true) s
  LEFT JOIN attribute_maps a ON a.scope = 1 AND a."row" = s.file_row_number;

CREATE OR REPLACE VIEW traces AS
  SELECT * EXCLUDE (trace_id, by_id, file_row_number), file_row_number AS trace, lower(hex(trace_id)) AS trace_id
  FROM read_parquet(getvariable('block') || '/traces.parquet', file_row_number = true);

CREATE OR REPLACE VIEW spans AS
  WITH rows AS (
    SELECT *, file_row_number AS "row" FROM read_parquet(getvariable('block') || '/spans.parquet', file_row_number = true)
  ),
  ids AS (SELECT "row", lower(hex(span_id)) AS span_id FROM rows)
  SELECT
    s."row", t.trace_id, i.span_id,
    CASE WHEN s.parent_offset > 0 THEN p.span_id ELSE lower(hex(s.parent_span_id)) END AS parent_span_id,
    s.name, s.kind, s.status_code, s.status_message, s.start_time,
    -- The duration wraps at 64 bits, and so does the end.
    ((s.start_time::HUGEINT + s.duration + 18446744073709551616) % 18446744073709551616)::UBIGINT AS end_time,
    s.duration, s.flags, s.trace_state,
    s.dropped_attributes_count, s.dropped_events_count, s.dropped_links_count,
    (s.row_flags & 2) > 0 AS shadowed,
    r.service_name AS service, r.attributes AS resource_attributes,
    c.name AS scope_name, c.version AS scope_version, c.attributes AS scope_attributes,
    a.attributes
  FROM rows s
  JOIN ids i ON i."row" = s."row"
  LEFT JOIN ids p ON s.parent_offset > 0 AND p."row" = s."row" - s.parent_offset
  JOIN traces t ON t.trace = s.trace
  JOIN resources r ON r.resource = s.resource
  JOIN scopes c ON c.scope = s.scope
  LEFT JOIN attribute_maps a ON a.scope = 2 AND a."row" = s."row";

CREATE OR REPLACE VIEW events AS
  SELECT s.trace_id, s.span_id, e.span, e.file_row_number AS event, e.name,
    ((s.start_time::HUGEINT + e.time_since_start + 18446744073709551616) % 18446744073709551616)::UBIGINT AS time,
    e.time_since_start, e.dropped_attributes_count, a.attributes
  FROM read_parquet(getvariable('block') || '/events.parquet', file_row_number = true) e
  JOIN spans s ON s."row" = e.span
  LEFT JOIN attribute_maps a ON a.scope = 3 AND a."row" = e.file_row_number;

CREATE OR REPLACE VIEW links AS
  SELECT s.trace_id, s.span_id, l.span, l.file_row_number AS link,
    coalesce(t.trace_id, lower(hex(l.trace_id))) AS linked_trace_id, lower(hex(l.span_id)) AS linked_span_id,
    l.trace_state, l.flags, l.dropped_attributes_count, a.attributes
  FROM read_parquet(getvariable('block') || '/links.parquet', file_row_number = true) l
  JOIN spans s ON s."row" = l.span
  LEFT JOIN traces t ON t.trace = l.trace
  LEFT JOIN attribute_maps a ON a.scope = 4 AND a."row" = l.file_row_number;
