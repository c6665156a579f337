"""The rules: every behaviour that trackside follows, with its source and how sure we are of it.

A rule's id is written in the code that follows it, in the reason of a drop, and in the scenario that proves it. A rule
that is ``assumed`` or that vendors' pages contradict names the setting that switches it, and the generated page of
contradictions lists it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trackside.counting.conditions import ABOUT

Confidence = Literal["documented", "observed", "assumed"]


@dataclass(frozen=True, slots=True)
class Source:
    """A document, a published package or a repository.

    Attributes:
        title: as its owner calls it.
        address: where it stands.
        read: the day it was read or run, ISO 8601.
    """

    title: str
    address: str
    read: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One observable behaviour.

    Attributes:
        id: ``vendor.direction.name``.
        text: the behaviour, one or two sentences.
        source: where it is said, or where it was seen.
        confidence: ``documented``, ``observed`` (seen by running the vendor's published code) or ``assumed``.
        setting: the workspace path that switches it, such as ``split.segment_inbound[].page_prefix``; empty if none.
        otherwise: what another document says, or what is left open; shown on the page of contradictions.
    """

    id: str
    text: str
    source: Source
    confidence: Confidence = "documented"
    setting: str = ""
    otherwise: str = ""

    @property
    def vendor(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]

    @property
    def origin(self) -> str:
        """Its source in one line: title, address, and the day it was read."""
        return f"{self.source.title}, {self.source.address} (read {self.source.read})"

    def as_json(self) -> dict[str, Any]:
        """Return the rule as ``trackside rules --json`` lists it."""
        row: dict[str, Any] = {
            "id": self.id,
            "vendor": self.vendor,
            "text": self.text,
            "source": self.origin,
            "confidence": self.confidence,
        }
        if self.setting:
            row["setting"] = self.setting
        if self.otherwise:
            row["otherwise"] = self.otherwise
        return row


# ---- sources: Segment
HTTP_API = Source(
    "Segment: HTTP Tracking API", "segment.com/docs/connections/sources/catalog/libraries/server/http-api", "2026-11-21"
)

SPEC_COMMON = Source("Segment: Spec, Common Fields", "segment.com/docs/connections/spec/common", "2026-11-21")
DELIVERY_OVERVIEW = Source("Segment: Delivery Overview", "segment.com/docs/connections/delivery-overview", "2026-11-21")
DUPLICATES = Source("Segment: Handling Duplicate Data", "segment.com/docs/guides/duplicate-data", "2026-11-21")
RATE_LIMITS = Source("Segment: Rate Limits", "segment.com/docs/connections/rate-limits", "2026-11-21")
OAUTH_PAGE = Source("Segment: OAuth 2.0", "segment.com/docs/connections/oauth", "2026-11-21")
PIXEL_PAGE = Source(
    "Segment: Pixel Tracking API",
    "segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api",
    "2026-11-21",
)
FILTERING_DATA = Source("Segment: Filtering your Segment Data", "segment.com/docs/guides/filtering-data", "2026-11-21")
DELIVERY_PAGE = Source("Segment: Destinations Overview", "segment.com/docs/connections/destinations", "2026-11-21")
CATALOG = Source(
    "Segment's destination catalogue",
    "github.com/segmentio/segment-docs, src/_data/catalog/destinations.yml",
    "2026-11-21",
)
ANALYTICS_NEXT = Source(
    "npm package @segment/analytics-next 1.84.3", "www.npmjs.com/package/@segment/analytics-next", "2026-11-21"
)
WRITE_KEY_THREAD = Source("segmentio/analytics-go, issue 205", "github.com/segmentio/analytics-go", "2026-11-21")

ACTIONS_PAGE = Source(
    "Segment: Actions Destinations", "segment.com/docs/connections/destinations/actions", "2026-11-21"
)
ACTIONS_WEBHOOK_PAGE = Source(
    "Segment: Webhooks (Actions) destination",
    "segment.com/docs/connections/destinations/catalog/actions-webhook",
    "2026-11-21",
)
ACTIONS_CORE = Source(
    "npm package @segment/actions-core 3.170.0", "www.npmjs.com/package/@segment/actions-core", "2026-11-21"
)
DESTINATION_SUBSCRIPTIONS = Source(
    "npm package @segment/destination-subscriptions 3.37.0",
    "www.npmjs.com/package/@segment/destination-subscriptions",
    "2026-11-21",
)

# ---- sources: Statsig
STATSIG_SEGMENT = Source("Statsig: Segment", "docs.statsig.com/integrations/data-connectors/segment", "2026-11-21")
STATSIG_FILTERING = Source("Statsig: Event Filtering", "docs.statsig.com/integrations/event_filtering", "2026-11-21")
STATSIG_EVENTS = Source("Statsig: Log your first custom event", "docs.statsig.com/guides/logging-events", "2026-11-21")
STATSIG_CONSOLE = Source("Statsig: Console API", "docs.statsig.com/console-api/introduction", "2026-11-21")
SEGMENT_STATSIG = Source(
    "Segment: Statsig Destination", "segment.com/docs/connections/destinations/catalog/statsig", "2026-11-21"
)
SEGMENT_PARTNERS = Source("Segment: Build a destination", "segment.com/docs/partners/direct-destination", "2026-11-21")

# ---- sources: Split
FME_SEGMENT = Source(
    "Harness FME: Segment",
    "developer.harness.io/docs/feature-management-experimentation/integrations/segment",
    "2026-11-21",
)

FME_EVENTS = Source(
    "Harness FME: Events",
    "developer.harness.io/docs/feature-management-experimentation/experimentation/events",
    "2026-11-21",
)
FME_EVENTS_SETUP = Source(
    "Harness FME: Setting up events",
    "developer.harness.io/docs/feature-management-experimentation/experimentation/events/setup",
    "2026-11-21",
)
FME_SEND_EVENTS = Source(
    "Harness FME: Send Segment events",
    "developer.harness.io/docs/feature-management-experimentation/integrations/guides/send-events",
    "2026-11-21",
)
FME_VERIFY_EVENTS = Source(
    "Harness FME: Verify Segment events",
    "developer.harness.io/docs/feature-management-experimentation/integrations/guides/verify-events",
    "2026-11-21",
)
SPLIT_IDENTITIES = Source("Split API: Save identities", "docs.split.io/reference/save-identities", "2026-11-21")
SPLIT_SDK = Source("Split's SDK for Python, splitio_client 10.7.0", "pypi.org/project/splitio-client", "2026-11-21")
SEGMENT_SPLIT = Source(
    "Segment: Split destination", "segment.com/docs/connections/destinations/catalog/split", "2026-11-21"
)
SEGMENT_SUBSCRIPTIONS = Source(
    "Segment: Build a subscription webhook", "segment.com/docs/partners/subscriptions/build-webhook", "2026-11-21"
)

# ---- sources: LaunchDarkly
LAUNCHDARKLY_SEGMENT = Source(
    "LaunchDarkly: Segment for metrics", "launchdarkly.com/docs/integrations/segment", "2026-11-21"
)
LAUNCHDARKLY_IMPORT = Source(
    "LaunchDarkly: Importing events", "launchdarkly.com/docs/home/metrics/import-events", "2026-11-21"
)
LAUNCHDARKLY_HARNESS = Source(
    "launchdarkly/sdk-test-harness 2.41.0", "github.com/launchdarkly/sdk-test-harness", "2026-11-21"
)
SEGMENT_LAUNCHDARKLY_CODE = Source(
    "npm package @segment/action-destinations 3.497.0",
    "www.npmjs.com/package/@segment/action-destinations",
    "2026-11-21",
)
LAUNCHDARKLY_RELAY = Source("launchdarkly/ld-relay 8.10.1", "github.com/launchdarkly/ld-relay", "2026-11-21")

# ---- rules: Segment, ingest and pipeline
SEGMENT_INGEST: tuple[Rule, ...] = (
    Rule(
        "segment.tracking-api",
        "Each call type has its own path, in full (`/v1/track`) and by the first letter as the browser SDK writes it (`/v1/t`); `/v1/batch`, `/v1/b` and the older `/v1/import` take batches.",
        HTTP_API,
    ),
    Rule(
        "segment.answer.success",
        'Every accepted request is answered with exactly 200 and `{"success": true}`, also when its calls are discarded later; Python SDKs before 2.4 take 202 and 204 for failures.',
        HTTP_API,
    ),
    Rule(
        "segment.answer.bad-request",
        "A body that is not JSON, or not in the encoding that it names, is answered 400.",
        HTTP_API,
        "assumed",
        otherwise="The 400 is documented, its body is not. Here it holds `code` and `message`, as Python SDKs before 2.4 retry a JSON error without them.",
    ),
    Rule(
        "segment.content-type",
        "A body is read as JSON whatever its content type says: the browser SDK sends text/plain. Gzip is undone.",
        ANALYTICS_NEXT,
        "observed",
        otherwise="The HTTP API page asks for application/json.",
    ),
    Rule(
        "segment.cors",
        "Browsers get an answer to their preflight that names the headers they ask for (`authorization`, `x-retry-count`), and their origin back.",
        ANALYTICS_NEXT,
        "observed",
        otherwise="The live server's CORS headers are not public.",
    ),
    Rule(
        "segment.unknown-path",
        'A path that does not exist is answered 404 `{"success": false}`, and recorded with the list of paths that do.',
        ANALYTICS_NEXT,
        "assumed",
        otherwise="It is what Segment's own test server answers; the live service's answer is not public.",
    ),
    Rule(
        "segment.write-key",
        "The write key is taken from the user name of Basic authentication (with or without the colon), from `writeKey` in the body, or from the body beside a bearer token. Where Basic and body disagree, Basic is used.",
        HTTP_API,
        otherwise="Which key counts where the two disagree is not said, and a key without the colon is not promised to work.",
    ),
    Rule("segment.write-key.missing", "A request without a write key is answered 400.", WRITE_KEY_THREAD, "observed"),
    Rule(
        "segment.write-key.unknown",
        "A request with an unknown write key is answered 200 and dropped: the edge does not know the keys.",
        WRITE_KEY_THREAD,
        "observed",
        setting="segment.unknown_write_key",
        otherwise="Some very short keys were seen to get a 400.",
    ),
    Rule(
        "segment.oauth",
        "`POST /token` answers a form-encoded client assertion (a JWT whose `iss` and `sub` are the OAuth app's id) with an access token and a numeric `expires_in`.",
        OAUTH_PAGE,
        otherwise="The assertion's claims are checked here, its signature is not.",
    ),
    Rule(
        "segment.oauth.token",
        "A bearer token that was not issued here, or that has expired, is answered 401: the SDKs then ask for a new one.",
        OAUTH_PAGE,
        "assumed",
        otherwise="That SDKs renew their token after a 401 is read from their code; the service's own answer is not public.",
    ),
    Rule(
        "segment.cdn",
        "`GET /v1/projects/<write key>/settings` is the browser SDK's settings document; it points the SDK back here. An unknown key gets 404.",
        ANALYTICS_NEXT,
        "observed",
        otherwise="The status for an unknown key is not public; the SDK does not load with any but a 2xx.",
    ),
    Rule(
        "segment.metrics",
        "`POST /v1/m` takes the browser SDK's metrics about itself; they are no events and go nowhere.",
        ANALYTICS_NEXT,
        "observed",
    ),
    Rule(
        "segment.pixel",
        "`GET /v1/pixel/<type>` takes a call as base64 in `data`, or as query parameters with dotted names; the answer is always 200 with a one-pixel GIF, also on errors.",
        PIXEL_PAGE,
    ),
    Rule(
        "segment.pixel.query",
        "Of a pixel's plain query parameters, true and false under integrations are read as booleans; all else stays text.",
        PIXEL_PAGE,
        "assumed",
        otherwise="A query holds texts only, and no page says how integrations are written in it: as a text, false would switch a destination on.",
    ),
    Rule(
        "segment.alias.same-id",
        "The browser's SDK stamps the user identified last on an alias call, so that its userId equals its previousId: such a call is taken with a warning, as it joins nothing.",
        ANALYTICS_NEXT,
        "observed",
    ),
    Rule(
        "segment.limit.event-size",
        "A call has at most 32 KB: a larger one is answered 400 on its own path.",
        HTTP_API,
        setting="segment.kilobyte",
        otherwise="Whether a KB is 1,024 or 1,000 bytes is not said.",
    ),
    Rule(
        "segment.limit.event-size-in-batch",
        "A call of more than 32 KB inside a batch is discarded as event_too_large behind the 200; the others are taken.",
        HTTP_API,
        "assumed",
        setting="segment.kilobyte",
        otherwise="The limit is documented, what becomes of a larger call inside a batch is not.",
    ),
    Rule(
        "segment.limit.event-size-in-pixel",
        "A pixel's call of more than 32 KB is discarded as event_too_large behind the GIF.",
        PIXEL_PAGE,
        "assumed",
        setting="segment.kilobyte",
        otherwise="The limit is documented for calls over HTTP; the pixel's page names none.",
    ),
    Rule(
        "segment.limit.batch-size",
        "A batch request has at most 500 KB; a larger one is answered 400.",
        HTTP_API,
        setting="segment.kilobyte",
        otherwise="Whether a KB is 1,024 or 1,000 bytes is not said.",
    ),
    Rule(
        "segment.limit.batch-events",
        "A batch has at most 2,500 events; the answer is 200, the events over it are rejected.",
        HTTP_API,
        otherwise="Which of them are rejected is not said; here the ones after the 2,500th.",
    ),
    Rule(
        "segment.limit.message-id",
        "A messageId has at most 100 characters; a call with a longer one is discarded.",
        SPEC_COMMON,
        "assumed",
        setting="segment.long_message_id",
        otherwise="The limit is documented, what becomes of a call with a longer messageId is not; the HTTP API page says fewer than 100.",
    ),
    Rule(
        "segment.limit.properties",
        "A call has at most 10,000 properties (or traits); those over it are left out.",
        RATE_LIMITS,
        otherwise="Which of them are left out is not said, nor whether traits count alike; here the ones after the 10,000th.",
    ),
    Rule(
        "segment.limit.depth",
        "A call nested deeper than 254 levels is discarded, as it cannot be passed on.",
        HTTP_API,
        "assumed",
        otherwise="No page gives a limit; this one is trackside's own. A batch whose own context is nested so is answered 400.",
    ),
    Rule(
        "segment.source.disabled",
        "What comes with the write key of a source that is switched off is answered 200 and discarded as source_disabled.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.no-id",
        "A call with neither userId nor anonymousId is discarded behind the 200. Null counts as absent: the Python SDK sends the unused id as null.",
        DELIVERY_OVERVIEW,
        otherwise="The HTTP API page words it as an error answer, no_user_anon_id; by its own list of statuses it cannot be one.",
    ),
    Rule(
        "segment.discard.id-not-string",
        "A call whose userId or anonymousId is empty or not a string is discarded as id_not_string.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.event",
        "A track call without an event is discarded as event_not_defined, one whose event is not a string as event_not_string.",
        DELIVERY_OVERVIEW,
        otherwise="An empty event is taken for a missing one here.",
    ),
    Rule(
        "segment.discard.properties",
        "A call whose properties are not an object is discarded as properties_not_object; null counts as absent.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.traits",
        "A call whose traits are not an object is discarded as traits_not_object; null counts as absent.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.name",
        "A page or screen whose name is empty or not a string is discarded as name_not_string; null counts as absent.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.category",
        "A page or screen whose category is empty or not a string is discarded as category_not_string.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.consent",
        "The event Segment Consent Preference Updated is discarded when its category preferences are missing, no object or not all true or false, when its consent version is no number, its advertising id no string, or its anonymousId missing.",
        DELIVERY_OVERVIEW,
        otherwise="Which code is given where several apply is not said; here the first in this order.",
    ),
    Rule(
        "segment.discard.type",
        "A batch item names its own type; one without a type that Segment knows is discarded.",
        HTTP_API,
        "assumed",
        otherwise="That the type is required is documented, what becomes of an item without one is not.",
    ),
    Rule(
        "segment.discard.not-an-object",
        "A batch item that is not a JSON object is discarded.",
        HTTP_API,
        "assumed",
        otherwise="No page says what becomes of one.",
    ),
    Rule(
        "segment.discard.empty-batch",
        "A batch without messages is answered 200 and recorded as empty_batch.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.discard.partial-batch",
        "Of a batch with some bad messages the good ones are taken, and multi_user_error is recorded; empty_batch_result where none is left.",
        DELIVERY_OVERVIEW,
    ),
    Rule(
        "segment.batch.merge",
        "A batch's own context and integrations are merged into each of its items.",
        HTTP_API,
        setting="segment.batch_merge",
        otherwise="Which side wins where both have a key is not said; here the item's.",
    ),
    Rule(
        "segment.message-id",
        "A call without a messageId gets one on receipt, and so is never a duplicate.",
        DUPLICATES,
        otherwise="A messageId that is no text counts as missing here.",
    ),
    Rule(
        "segment.dedup",
        "A messageId that came before within 24 hours is dropped behind the 200, whichever source it came through. The window also ends after the last 100,000 ids.",
        DUPLICATES,
        setting="segment.dedup",
        otherwise="The bound by number is trackside's own, for a flat memory, and noted when it is first reached; users often expect the scope to be the source.",
    ),
    Rule(
        "segment.timestamp",
        "What destinations get as timestamp is receivedAt - (sentAt - originalTimestamp), so that a wrong client clock does no harm; without a client timestamp it is receivedAt.",
        SPEC_COMMON,
        otherwise="Without sentAt, which no page covers, the timestamp stays as it is.",
    ),
    Rule(
        "segment.timestamp.unreadable",
        "A timestamp that cannot be read is replaced by the time of receipt.",
        SPEC_COMMON,
        "assumed",
        otherwise="No page says what becomes of one.",
    ),
    Rule(
        "segment.timestamp.number",
        "A timestamp that is a number is read as epoch milliseconds; one that looks like seconds is not converted, with a warning.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Segment's pages show ISO 8601 only; Statsig's page shows that it sends numbers.",
    ),
    Rule(
        "segment.context.ip",
        "context.ip is filled from the connection for client-side events, and where a call sets context.direct; with an IPv4 address only.",
        SPEC_COMMON,
        setting="segment.server_ip",
        otherwise="How client-side events are told apart is not said; here by the library analytics.js, so that calls of mobile SDKs are not among them.",
    ),
    Rule(
        "segment.nulls",
        "A field that is null, such as an unused userId or anonymousId, is passed to destinations as it came.",
        SPEC_COMMON,
        "assumed",
        setting="segment.nulls",
        otherwise="Whether Segment takes nulls away before destinations is not said; the setting `strip` takes every top-level field away that is null.",
    ),
    Rule(
        "segment.catalog",
        "A destination is one of Segment's catalogue (Statsig, Split, LaunchDarkly (Actions), Webhooks (Actions)), with its settings and a toggle of its own.",
        CATALOG,
    ),
    Rule(
        "segment.sources",
        "A source has a write key and feeds the destinations that it is connected to, each with its own toggle.",
        LAUNCHDARKLY_SEGMENT,
    ),
    Rule(
        "segment.integrations",
        "The integrations object selects destinations by their catalogue names, exactly spelt: a named value beats All, All is true by default, an object counts as true.",
        FILTERING_DATA,
    ),
    Rule(
        "segment.unsupported-type",
        "Segment's catalogue lists the call types that each destination takes; one that it does not list would be discarded before filters and mappings.",
        CATALOG,
        "assumed",
        setting="segment.catalog_methods",
        otherwise="That unsupported types are discarded there is documented, whether the catalogue's list decides is not. The vendors' own pages take more types than the catalogue lists (Split: page, screen, group; Statsig: screen). By default the vendor's page decides.",
    ),
    Rule(
        "segment.direct",
        "Statsig and Split get each message raw, one per request, with the API key as Basic user name and the user agent Segment.io/1.0.",
        SEGMENT_PARTNERS,
        otherwise="Which of Segment's own fields reach destinations is told in part: here writeKey reaches none, _metadata all, channel (client or server) and projectId (the source's name) these two only; version is 2 as in the spec, 1.1 in the partners' pages.",
    ),
    Rule(
        "segment.delivery.retry",
        "A delivery that gets 408, 423, 429, a 5xx other than 501, or no answer, is tried again for four hours with growing waits.",
        DELIVERY_PAGE,
        setting="segment.retry",
        otherwise="The four hours are documented, the number of tries and their spacing are not. A destination's Retry-After is not said to be heeded, and is not. The statuses are those of the published framework @segment/actions-core, and hold for every destination here; so does its limit of 10 s for an answer, where Segment's pages give 5 s for classic webhooks only.",
    ),
    Rule(
        "segment.delivery.refused",
        "A delivery that gets any other status is not tried again, and is recorded as discarded with that status.",
        ACTIONS_CORE,
        "observed",
        otherwise="Read from the code of Actions destinations; that of the other destinations is not public.",
    ),
    Rule(
        "segment.delivery.redirect",
        "A destination's redirect is not followed: deliveries leave the machine only to addresses that the workspace names.",
        DELIVERY_PAGE,
        "assumed",
        otherwise="Segment's Actions framework follows a 302 that has a Location.",
    ),
    Rule(
        "segment.delivery.address",
        "A webhook delivers only to addresses that the workspace names; where a mapping takes the address from an event, nothing is sent to another host.",
        CATALOG,
        "assumed",
        otherwise="Segment sends to whatever address a mapping gives; a local copy of it does not let an event choose one.",
    ),
    Rule(
        "segment.contract",
        "Each request body is checked against its JSON Schema contract. A fault is recorded as an error and, as at Segment, changes no answer: the 200 is kept unless the lab is strict.",
        HTTP_API,
    ),
)

# ---- rules: Segment, destination filters
FQL_PAGE = Source(
    "Segment: Destination Filter Query Language", "www.twilio.com/docs/segment/api/public-api/fql", "2026-11-21"
)
DESTINATION_FILTERS = Source(
    "Segment: Destination Filters",
    "www.twilio.com/docs/segment/connections/destinations/destination-filters",
    "2026-11-21",
)
FILTERS_API = Source(
    "Segment Public API: Destination Filters", "docs.segmentapis.com/tag/Destination-Filters", "2026-11-21"
)
TSUB = Source("npm package @segment/tsub 2.0.1", "www.npmjs.com/package/@segment/tsub", "2026-11-21")
SEGMENT_GLOB = Source("Segment's Go package glob", "github.com/segmentio/glob", "2026-11-21")

SEGMENT_FILTERS: tuple[Rule, ...] = (
    Rule(
        "segment.filter.all",
        "A destination filter applies to the events that meet its condition: an FQL expression, or the word all for every event. A filter that is not enabled is not applied.",
        FILTERS_API,
    ),
    Rule(
        "segment.filter.order",
        "The filters of a destination are applied by kind: samples, then drops, then dropped properties, then allowed properties; within a kind in the workspace's order.",
        DESTINATION_FILTERS,
        otherwise="An earlier edition of the page applies them one at a time in the workspace's order. Whether a condition sees what an earlier filter took away is not said; here each one sees the event as it arrived.",
    ),
    Rule(
        "segment.filter.drop",
        "An event that meets the condition of a drop filter does not reach the destination; its discard reason is FILTERED_BY_RULES.",
        DESTINATION_FILTERS,
    ),
    Rule(
        "segment.filter.sample",
        "A sample filter lets the given share (0 to 1) of the events that meet its condition through. With a path, the value of that field decides, so one value has one fate: the MD5 of its JSON, read as a number from 0 to 1, is compared with the share.",
        FILTERS_API,
        otherwise="The number's making is read from the npm package @segment/tsub 2.0.1. That package itself, when run, keeps every event for any share between 0 and 1, by a fault in its arithmetic; the server's program is not public and is taken to do what the package's comments say.",
    ),
    Rule(
        "segment.filter.sample-random",
        "A sample filter without a path draws for each event on its own. The draw here is made from the messageId and the filter's place in the list, so that a run can be repeated.",
        TSUB,
        "assumed",
        otherwise="Segment draws at random, so another event of the same kind may get through there.",
    ),
    Rule(
        "segment.filter.drop-properties",
        "A drop-properties filter takes the named properties away from the object at each path; an empty path is the event's top level. A path that leads nowhere changes nothing.",
        FILTERS_API,
        otherwise="The page on destination filters says that names with spaces cannot be filtered; here they can.",
    ),
    Rule(
        "segment.filter.allow-properties",
        "An allow-properties filter takes all but the named properties away from the object at each path, and touches nothing outside those objects; an empty path is the event's top level.",
        TSUB,
        "observed",
    ),
    Rule(
        "segment.filter.arrays",
        "Where a path leads to an array, properties are taken away from each object in it. A single element cannot be named.",
        DESTINATION_FILTERS,
    ),
    Rule(
        "segment.filter.fail-closed",
        "A filter whose condition is not valid FQL, or cannot be evaluated for an event, drops the event, so that a fault never lets private data through.",
        FQL_PAGE,
    ),
    Rule(
        "segment.filter.limits",
        "A destination has at most 10 filters, and a condition at most 5 KB of FQL.",
        DESTINATION_FILTERS,
        otherwise="Whether a KB has 1,000 or 1,024 bytes is not said; here it has 1,024.",
    ),
    Rule(
        "segment.fql.syntax",
        "FQL has and, or, !, parentheses, the comparisons = != > >= < <= and in, lists in brackets, numbers, strings, true, false, null and functions. Only a result of true meets a condition; any other value does not.",
        FQL_PAGE,
        otherwise="Segment's published lexer also wants a space or = after a field name; here a>5 is read like a > 5.",
    ),
    Rule(
        "segment.fql.precedence",
        "and binds more tightly than or, and ! belongs to the one field, function or parenthesis after it; !a = b is refused as unclear.",
        FQL_PAGE,
        "assumed",
        otherwise="The page gives no precedence. Mapping triggers, another language, join all conditions by the last connective.",
    ),
    Rule(
        "segment.fql.field",
        "A field is named by a dotted path from the event's top level. A character outside A-Z a-z 0-9 _ - in a name has a backslash before it. Elements of arrays cannot be named.",
        FQL_PAGE,
    ),
    Rule(
        "segment.fql.strings",
        "Strings stand in single or double quotes. A backslash before the string's own quote means the quote; every other backslash stays, as the patterns of match need it.",
        FQL_PAGE,
        "assumed",
        otherwise="The page shows a kept backslash in a pattern and no escaped quote. Segment's published lexer knows no escapes in strings.",
    ),
    Rule(
        "segment.fql.strict-types",
        "Values of different types are never equal: 1 is neither '1' nor true. Greater and less hold between numbers only, and are false for anything else.",
        FQL_PAGE,
    ),
    Rule(
        "segment.fql.null",
        "A missing field is null. contains and match are false for null, its length is 0, and the case functions leave it null. A value of a type that the function does not take is treated alike, but its length is not a number.",
        FQL_PAGE,
        otherwise="In the npm package @segment/tsub 2.0.1 a missing field differs from a field that is null.",
    ),
    Rule(
        "segment.fql.in",
        "in holds when the list on its right has an element of the same type and value as its left side. Nothing is in null; another right side than a list cannot be evaluated.",
        TSUB,
        "observed",
        otherwise="The package fails for null too. The page says that null is handled gently, and here nothing is in null.",
    ),
    Rule(
        "segment.fql.match",
        "match compares a whole string with a glob pattern, case-sensitively: * for any characters, ? for one, [abc] and [a-z] for one of several, [^a] for any other, a backslash for the next character as it is. A malformed pattern makes the condition invalid.",
        SEGMENT_GLOB,
        "observed",
        otherwise="The page leaves out [^a]. In the npm package @segment/tsub 2.0.1 a malformed pattern only fails to match.",
    ),
    Rule(
        "segment.fql.length",
        "length counts the elements of a list and the bytes of a string in UTF-8.",
        FQL_PAGE,
        otherwise="The npm package @segment/tsub 2.0.1, for browsers, counts UTF-16 units of a string.",
    ),
    Rule(
        "segment.fql.case-functions",
        "lowercase and uppercase change the case of a string, snakecase and kebabcase turn its spaces into underscores and dashes, titlecase begins each word with a capital.",
        FQL_PAGE,
        otherwise="The page's sentence on titlecase is that of kebabcase; its example is followed. Whether the three also change the rest of a word is not said; here they do not.",
    ),
    Rule(
        "segment.fql.typeof",
        "typeof gives string, number, list, bool or null.",
        FQL_PAGE,
        otherwise="The page names no type for an object; here it is object.",
    ),
    Rule(
        "segment.fql.conversions",
        "bool, string and number convert a value. As text, true and false may be written true, t, 1, false, f, 0 or be empty; null becomes false, an empty string and null; what cannot be read makes the condition fail.",
        FQL_PAGE,
        "assumed",
        otherwise="The page names the three functions and their types, and no result.",
    ),
    Rule(
        "segment.fql.semver",
        "semver(version, operator, other) compares versions of one to three numbers, missing ones counting as 0; what is no version compares as false.",
        TSUB,
        "observed",
        otherwise="The page on FQL does not list it.",
    ),
)

# ---- rules: Segment, actions (triggers, mapping-kit, field validation, webhook)
SEGMENT_ACTIONS: tuple[Rule, ...] = (
    Rule(
        "segment.mappings",
        "An Actions destination has mappings, each with a trigger and a switch. Every enabled mapping whose trigger matches makes one request; where none matches, nothing is sent.",
        ACTIONS_PAGE,
        setting="segment.destinations.*.mappings",
    ),
    Rule(
        "segment.triggers",
        "A trigger is one flat list of conditions on type, event, name, userId, properties, traits and context, joined by the last and or or in it. Texts stand in double quotes, and unknown words are skipped.",
        DESTINATION_SUBSCRIPTIONS,
        "observed",
        otherwise="Segment documents a larger query language (FQL), with precedence, nested parentheses and single quotes; it holds for destination filters.",
    ),
    Rule(
        "segment.triggers.invalid",
        "A trigger that Segment's parser cannot read matches nothing, and every message says so.",
        DESTINATION_SUBSCRIPTIONS,
        "observed",
    ),
    Rule(
        "segment.mapping-kit",
        "A mapping is JSON in which objects with an @ key are directives: @path, @template, @if, @case, @replace, @arrayPath, @merge, @transform, @flatten, @json, @literal, @excludeWhenNull and @liquid. Keys that come out undefined vanish, null stays.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.mapping-kit.invalid",
        "An unknown directive, two in one object, one beside a plain key or an option of the wrong type makes the whole event fail.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.mapping-kit.liquid",
        "@liquid renders a Liquid template on the event, at most 1,000 characters; the tags case, for, include, layout, render and tablerow and filters such as sort and map are switched off. It needs the package python-liquid.",
        ACTIONS_CORE,
        "assumed",
        otherwise="Segment renders with LiquidJS. Dates, rounding and filters that python-liquid lacks can differ; such a filter fails with its name. Segment's page shows the tag case as supported, its code has it switched off, and its examples begin variables with event, which the code does not know.",
    ),
    Rule(
        "segment.fields.empty",
        "Before a payload is checked, null and empty texts are removed from it, so that they count as missing.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.fields.coercion",
        "Values are turned into their field's type where that is possible: the text 12.5 into a number, true into 1, 42 into a text, an array of one into its element. Fields that the action does not declare are removed.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.fields.invalid",
        "One field that is missing or of the wrong type fails the whole payload: the event is discarded, not tried again, and no request is made.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.actions.settings",
        "A destination's settings are checked with every event; where they are wrong, no event is sent.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.actions.null-context",
        "A message whose context, or context.personas, is null makes Segment's published code fail with a TypeError after the payload was checked, and nothing is sent.",
        ACTIONS_CORE,
        "observed",
        otherwise="Whether Segment's service removes such a null before it comes that far is not public.",
    ),
    Rule(
        "segment.actions.unknown-action",
        "A mapping that names an action its destination does not have does nothing.",
        ACTIONS_CORE,
        "observed",
    ),
    Rule(
        "segment.webhook.request",
        "The action Send posts, puts or patches the mapped data, by default the whole event, as JSON to the mapped address, with the user agent Segment (Actions) and the mapped headers.",
        ACTIONS_WEBHOOK_PAGE,
        otherwise="The page speaks of batches of 1,000 events by default, the published code of none; here each event is a request of its own.",
    ),
    Rule(
        "segment.webhook.signature",
        "With a shared secret, X-Signature is the hexadecimal HMAC-SHA1 of the JSON text of the data.",
        ACTIONS_WEBHOOK_PAGE,
    ),
)

# ---- rules: Statsig
STATSIG: tuple[Rule, ...] = (
    Rule(
        "statsig.contract",
        "What Segment and SDKs send to Statsig, what Statsig answers and what it keeps have JSON Schema contracts; a payload that breaks one is recorded as an error.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig does not publish what it refuses; the contract holds what its pages and published code show.",
    ),
    Rule(
        "statsig.in.auth",
        "The destination's API key is the project's server secret key, taken as Basic user name, statsig-api-key header or query parameter; a wrong or missing key is refused with 401.",
        SEGMENT_PARTNERS,
        "assumed",
        otherwise="Statsig documents the kind of key, not how it travels nor the refusal; the status is the one Segment asks of its partners.",
    ),
    Rule(
        "statsig.in.json",
        "A body that is not one Segment call as a JSON object is refused with 400.",
        SEGMENT_PARTNERS,
        "assumed",
        otherwise="Statsig's answer is not public; the status is the one Segment asks of its partners.",
    ),
    Rule(
        "statsig.in.types",
        "track, page, screen and group calls become events. An identify call makes none: it only syncs Engage audiences.",
        STATSIG_SEGMENT,
        otherwise="Segment's catalogue lists alias and leaves out screen; Segment's own page names track, page and screen.",
    ),
    Rule(
        "statsig.in.unsupported",
        "alias and unknown call types are accepted with 200 and make no event.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.unsupported",
        otherwise="Segment's catalogue lists alias among what Statsig takes; Segment asks its partners to answer 501 to what they do not support.",
    ),
    Rule(
        "statsig.in.enabled",
        "Mappings and filters need the integration to be enabled in the Statsig project. While it is not, each call is refused with 403.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.when_disabled",
        otherwise="No page says whether events are still taken while the integration is off: the setting keeps them, without mappings and filters.",
    ),
    Rule(
        "statsig.in.event-name",
        "The event of a track call is detected as the event name.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.in.event-name.missing",
        "A track call whose event is missing, empty or no text makes no event.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="No page says what becomes of one.",
    ),
    Rule(
        "statsig.in.prefix",
        "The stored name is the Segment name with segment:: in front.",
        STATSIG_SEGMENT,
        setting="statsig.segment_inbound.names",
        otherwise="Segment's page of 2021 shows segment_track: as prefix, and Statsig's log stream shows names without any.",
    ),
    Rule(
        "statsig.in.names",
        "Page, screen and group events are named by the same template as track events, segment::{name}; a group event, whose call has no name, is segment::group.",
        SEGMENT_STATSIG,
        "assumed",
        setting="statsig.segment_inbound.names",
        otherwise="Segment's page of 2021 has segment_page: and segment_screen:; Statsig's page gives no name of a page, screen or group event.",
    ),
    Rule(
        "statsig.in.unnamed",
        "A page or screen call without a name is named page or screen, after its type.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.unnamed",
        otherwise="No page says what becomes of one; the setting drops it.",
    ),
    Rule(
        "statsig.in.name-characters",
        "An event whose name holds one of \\ [ ] { } < > # = ; & $ % |, NUL or a line break is dropped.",
        STATSIG_EVENTS,
    ),
    Rule(
        "statsig.in.filter",
        "Event Filtering: events that are not selected are not ingested. The dialog lists names as Segment sends them, so the raw name is compared.",
        STATSIG_FILTERING,
        setting="statsig.segment_inbound.refuse_events",
        otherwise="That the raw name is compared is read from the dialog's picture; no page says what a new name is: it is taken here.",
    ),
    Rule(
        "statsig.in.user-id",
        "userId becomes user.userID.",
        STATSIG_SEGMENT,
        otherwise="Statsig's page writes userId and once userID for the incoming field.",
    ),
    Rule(
        "statsig.in.user-id.capital",
        "Where a call carries userID, it is read only if userId is missing.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's page writes userId and once userID for the incoming field; Segment's field is userId.",
    ),
    Rule(
        "statsig.in.id-text",
        "An id that is a number is kept as text; an id that is neither text nor number is left out.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's SDKs take numbers as user IDs too; what its Segment integration does with one is not documented.",
    ),
    Rule(
        "statsig.in.empty-id",
        "An empty id counts as missing, as null does.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="No page speaks of empty or null ids.",
    ),
    Rule(
        "statsig.in.no-unit-id",
        "An event without user ID and custom ID is kept, and counts for no unit of an experiment. The anonymousId is used only where it is mapped.",
        STATSIG_SEGMENT,
        otherwise="That the event is kept, and its anonymousId unused, is read from a picture on Statsig's page.",
    ),
    Rule(
        "statsig.in.custom-ids",
        "properties.statsigCustomIDs is an array of ID types and values in turn, and fills user.customIDs.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.in.custom-ids.malformed",
        "Where statsigCustomIDs is no array, or has an unpaired tail, a type that is no text or a value that is null, the event is kept and that part is left out; of a type given twice the last value counts.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's page does not say what becomes of a malformed array.",
    ),
    Rule(
        "statsig.in.map-identifier",
        "Map Identifier rows fill custom IDs from top-level fields of the call, such as segmentAnonymousId from anonymousId.",
        STATSIG_SEGMENT,
        setting="statsig.segment_inbound.map_identifiers",
        otherwise="Which row counts where two fill one custom ID is not said; here the last.",
    ),
    Rule(
        "statsig.in.map-identifier.path",
        "A Map Identifier row reads a field of that very name; a path such as context.device.id leads nowhere.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.map_identifiers",
        otherwise="Statsig's page speaks of top-level fields and does not say whether a path works.",
    ),
    Rule(
        "statsig.in.map-precedence",
        "A custom ID given in properties.statsigCustomIDs takes precedence over a mapped identifier.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.in.custom",
        "properties.statsigCustom is an array of keys and values in turn, and fills user.custom.",
        STATSIG_SEGMENT,
        otherwise="The page shows text values; others are kept as they are here.",
    ),
    Rule(
        "statsig.in.custom.malformed",
        "Where statsigCustom is no array, or has an unpaired tail or a key that is no text, the event is kept and that part is left out; of a key given twice the last value counts.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's page does not say what becomes of a malformed array.",
    ),
    Rule(
        "statsig.in.context",
        "ip, locale and userAgent of the call's context become those of the user.",
        STATSIG_SEGMENT,
        otherwise="Only a picture on Statsig's page shows them.",
    ),
    Rule(
        "statsig.in.environment",
        "properties.statsigEnvironment.tier becomes user.statsigEnvironment.tier; an event without it counts as production.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.in.environment.malformed",
        "A statsigEnvironment that names no tier is left out, and the event counts as production.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's page shows only the right form.",
    ),
    Rule(
        "statsig.in.metadata",
        'The properties become the event\'s metadata, every value as text: 1 is "1" and true is "true".',
        STATSIG_SEGMENT,
        otherwise="Only pictures on Statsig's page show it.",
    ),
    Rule(
        "statsig.in.metadata.statsig-keys",
        "statsigCustomIDs, statsigCustom and statsigEnvironment are not repeated in the metadata.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.keep_statsig_properties",
        otherwise="No page says whether they stay there.",
    ),
    Rule(
        "statsig.in.metadata.nested",
        "A property that is an object or an array becomes its JSON text in the metadata.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.nested_properties",
        otherwise="No page says what becomes of nested properties; the setting leaves them out.",
    ),
    Rule(
        "statsig.in.metadata.null",
        "A property that is null is left out of the metadata.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.null_properties",
        otherwise="No page says what becomes of null; the setting keeps it as the text null.",
    ),
    Rule(
        "statsig.in.value",
        "The event's value is empty; value and revenue stay in the metadata.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.value_property",
        otherwise="Statsig's pictures show empty values, and no page says whether a property ever becomes the value; the setting names one.",
    ),
    Rule(
        "statsig.in.group",
        "The traits of a group call without properties are read as its properties; beside properties they are left out.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.group_traits",
        otherwise="No page says what a group event carries.",
    ),
    Rule(
        "statsig.in.group-id",
        "The groupId of a group call is left out, unless a Map Identifier row makes it a custom ID.",
        STATSIG_SEGMENT,
        "assumed",
        setting="statsig.segment_inbound.map_identifiers",
        otherwise="No page says what a group event carries.",
    ),
    Rule(
        "statsig.in.category",
        "The category of a page or screen call is left out, unless it is a property as well.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="No page says what a page or screen event carries beside its properties.",
    ),
    Rule(
        "statsig.in.time",
        "The event's time is the call's timestamp, in epoch milliseconds.",
        STATSIG_SEGMENT,
        otherwise="Only a picture on Statsig's page shows it.",
    ),
    Rule(
        "statsig.in.time.missing",
        "Where the timestamp is missing or cannot be read, the event's time is the time of receipt.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="No page says so; Segment fills in a missing timestamp before it delivers.",
    ),
    Rule(
        "statsig.in.limit.name",
        "An event name has at most 64 characters.",
        STATSIG_EVENTS,
        otherwise="No page says whether what is longer is cut or refused: it is kept whole here, with a warning, and the prefix is counted. Amplitude's page on Statsig gives 64 bytes instead.",
    ),
    Rule(
        "statsig.in.limit.user-id",
        "A user ID has at most 64 characters.",
        STATSIG_EVENTS,
        otherwise="No page says whether what is longer is cut or refused: it is kept whole here, with a warning. Amplitude's page on Statsig gives 64 bytes instead.",
    ),
    Rule(
        "statsig.in.limit.value",
        "An event value that is text has at most 64 characters.",
        STATSIG_EVENTS,
        otherwise="No page says whether what is longer is cut or refused: it is kept whole here, with a warning.",
    ),
    Rule(
        "statsig.in.limit.metadata",
        "The metadata has at most 4096 characters as JSON text.",
        STATSIG_EVENTS,
        otherwise="No page says whether what is longer is cut or refused: it is kept whole here, with a warning. Amplitude's page on Statsig gives 2048 bytes instead.",
    ),
    Rule(
        "statsig.in.log-stream",
        "Every ingested event shows in the Log Stream with all its details: name, time, user, value, metadata.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.in.answer",
        'A delivery is answered 200 with the body {"success":true}.',
        STATSIG_SEGMENT,
        otherwise="Only a picture of Segment's Event Tester on Statsig's page shows it, for an event that is kept.",
    ),
    Rule(
        "statsig.in.answer.no-event",
        "A call that makes no event, such as an identify call or a filtered event, is answered like any other.",
        STATSIG_SEGMENT,
        "assumed",
        otherwise="Statsig's answer to a call that makes no event is not public.",
    ),
    Rule(
        "statsig.unknown-path",
        "A path that does not exist is answered 404 with status and message as JSON.",
        STATSIG_CONSOLE,
        "assumed",
        otherwise="The shape is documented for the Console API only.",
    ),
)

# ---- rules: Split
SPLIT: tuple[Rule, ...] = (
    Rule(
        "split.in.path",
        "Segment's Split destination delivers to /segment.",
        SEGMENT_SUBSCRIPTIONS,
        "assumed",
        otherwise="The address of the vendor's endpoint is not published.",
    ),
    Rule(
        "split.in.specs",
        "Segment calls of type identify, group, track, page and screen are processed.",
        FME_SEGMENT,
        otherwise="Segment's page and its catalogue name identify and track only.",
    ),
    Rule(
        "split.in.environment",
        "Each configuration belongs to one environment; what it receives is stored there.",
        FME_SEGMENT,
    ),
    Rule(
        "split.in.api-key",
        "A delivery carries the configuration's key as the user name of Authorization: Basic. Without a key "
        "it is refused with 401, with a key that no configuration has with 403.",
        SEGMENT_SUBSCRIPTIONS,
        "assumed",
        setting="accept_any_key",
        otherwise="Harness FME documents the key, not how it travels nor the refusal: both are what Segment agrees on with its partners.",
    ),
    Rule(
        "split.in.malformed",
        "A body that is not one Segment call as a JSON object with a type is refused with 400.",
        SEGMENT_SUBSCRIPTIONS,
        "assumed",
        otherwise="The vendor's answer is not public; the status is the one Segment asks of its partners.",
    ),
    Rule(
        "split.in.unsupported",
        "A call of another type, such as alias, is refused as unsupported with 501.",
        SEGMENT_SUBSCRIPTIONS,
        "assumed",
        setting="split.segment_inbound[].unsupported",
        otherwise="The vendor's page does not mention alias; 501 is what Segment asks of its partners for such types.",
    ),
    Rule(
        "split.in.identity",
        "The key is Segment's userId or anonymousId, as configured, under the traffic type that the "
        "configuration maps it to.",
        FME_SEGMENT,
        setting="split.segment_inbound[].identities",
    ),
    Rule(
        "split.in.two-identities",
        "A configuration can map both ids; a call that carries both makes one record under each traffic type.",
        FME_VERIFY_EVENTS,
        setting="split.segment_inbound[].identities",
        otherwise="The integration's own page speaks of choosing one id.",
    ),
    Rule(
        "split.in.no-identity",
        "A call that carries none of the mapped ids is dropped, also where it names further traffic types.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].pairs_without_id",
        otherwise="Not said; without a key there is nothing to store it under.",
    ),
    Rule(
        "split.in.key",
        "A key is a text of 1 to 250 characters without blanks around it; a number is written as text, and an"
        " id that is null, empty, too long or of another type makes no key.",
        SPLIT_SDK,
        "assumed",
        setting="split.segment_inbound[].key_limit",
        otherwise="This is what the vendor's SDKs do to keys; the integration's page says nothing.",
    ),
    Rule(
        "split.in.identify-toggle",
        "identify calls are processed only where the configuration enables identify.",
        FME_SEGMENT,
        setting="split.segment_inbound[].identify",
    ),
    Rule(
        "split.in.track-toggle",
        "track calls are processed only where the configuration enables track.",
        FME_SEGMENT,
        setting="split.segment_inbound[].track",
    ),
    Rule(
        "split.in.page-toggles",
        "page and screen calls depend on their own toggles (named pages, named screens), not on the track toggle.",
        FME_SEGMENT,
        setting="split.segment_inbound[].named_pages",
    ),
    Rule(
        "split.in.event-type-path",
        "The eventTypeId setting is the path of the property that holds the event's name, such as event or "
        "properties.eventName, never the name itself.",
        FME_SEGMENT,
        setting="split.segment_inbound[].event_type_id",
    ),
    Rule(
        "split.in.event-type-required",
        "Where that path leads to no name, the event is dropped; a name configured in place of its path is "
        "recognised and the reason says which path to put there.",
        FME_SEGMENT,
        setting="split.segment_inbound[].event_type_id",
    ),
    Rule(
        "split.in.event-type-spaces",
        "Each space in an event type becomes an underscore.",
        FME_SEGMENT,
    ),
    Rule(
        "split.in.event-type-name",
        "An event type starts with a letter, a digit or an opening bracket and goes on with letters, digits, "
        "hyphens, underscores, periods, colons and brackets; an event with any other is dropped.",
        FME_EVENTS_SETUP,
        "assumed",
        setting="split.segment_inbound[].invalid_event_type",
        otherwise="One page allows brackets and another does not, the SDKs allow colons, and none says what the "
        "integration does with other names.",
    ),
    Rule(
        "split.in.event-type-length",
        "An event type has at most 80 characters, and one of more than 63 is kept with a warning.",
        FME_EVENTS_SETUP,
        "assumed",
        setting="split.segment_inbound[].event_type_limit",
        otherwise="The events page says 63, the page on setting them up 80.",
    ),
    Rule(
        "split.in.value",
        "The event's value is the number at the configured path; where that leads to none, the value is null "
        "and the event is kept.",
        FME_SEGMENT,
        setting="split.segment_inbound[].value",
        otherwise="The events page counts an event without a value as 0.",
    ),
    Rule(
        "split.in.value.numeric-text",
        'A number written as text, such as "9.99", is not taken as the value.',
        SEGMENT_SPLIT,
        "assumed",
        setting="split.segment_inbound[].numeric_strings",
        otherwise="The page asks for an integer or a float; whether text is converted is not said.",
    ),
    Rule(
        "split.in.timestamp",
        "The event's moment is the call's timestamp, in milliseconds; the time of reception where there is "
        "none or it cannot be read.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].timestamp",
        otherwise="Which of Segment's moments is stored is not said.",
    ),
    Rule(
        "split.in.foreign-id",
        "The stored event carries the call's messageId as foreignId, and Segment as its source.",
        FME_EVENTS,
        "assumed",
        otherwise="The page's sample has an id of that form; de-duplication by it is not mentioned, so none is done.",
    ),
    Rule(
        "split.in.properties",
        "The call's properties are stored with the event.",
        FME_EVENTS,
        otherwise="An old note on Segment's page says that properties are not carried over.",
    ),
    Rule(
        "split.in.properties.count",
        "An event stores at most 300 properties; those after the first 300 are left out.",
        FME_EVENTS,
        "assumed",
        otherwise="The limit is documented, what becomes of the others is not.",
    ),
    Rule(
        "split.in.properties.length",
        "A property's text has at most 256 characters; a longer one is cut.",
        FME_EVENTS,
        "assumed",
        setting="split.segment_inbound[].property_limit",
        otherwise="The limit is documented; whether a longer text is cut or left out is not.",
    ),
    Rule(
        "split.in.properties.object",
        "A property that is an object or an array is stored as its JSON text.",
        FME_EVENTS,
        "assumed",
        setting="split.segment_inbound[].object_properties",
        otherwise="The page allows texts, numbers and booleans; the SDKs store null for anything else, and the "
        "integration turns an object trait into text.",
    ),
    Rule(
        "split.in.page",
        "A named page call becomes the event view_<name>_page.",
        FME_SEGMENT,
        setting="split.segment_inbound[].page_prefix",
        otherwise="Segment's page has viewed_<name>_page.",
    ),
    Rule(
        "split.in.screen",
        "A named screen call becomes the event viewed_<name>_screen.",
        FME_SEGMENT,
        setting="split.segment_inbound[].screen_prefix",
        otherwise="The same page has view_<name>_screen in another section.",
    ),
    Rule(
        "split.in.page.case",
        "The name of a page or screen keeps its case in the event type.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].page_case",
        otherwise="Every sample name is in lower case.",
    ),
    Rule(
        "split.in.page.fields",
        "The value path and properties.split are used for track calls only; a page's or screen's value is null.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].page_fields",
        otherwise="The form lists the field mapping under track; whether it holds for pages and screens is not said.",
    ),
    Rule(
        "split.in.unnamed",
        "A page or screen call without a name makes no event.",
        FME_SEGMENT,
        setting="split.segment_inbound[].named_pages",
        otherwise="The page says only that calls with a name are tracked.",
    ),
    Rule(
        "split.in.track-groups",
        "properties.split, an array of objects from traffic type to key, records a track call for those "
        "traffic types too, for this event only.",
        FME_SEND_EVENTS,
        otherwise="Whether a pair that is repeated, or that equals a mapped id, counts again is not said; here it does.",
    ),
    Rule(
        "split.in.track-groups.kept",
        "The property split itself is not stored with the event.",
        FME_SEND_EVENTS,
        "assumed",
        setting="split.segment_inbound[].keep_split",
        otherwise="Not said.",
    ),
    Rule(
        "split.in.split-shape",
        "properties.split is an array of objects and traits.split one object; the other shape is read as "
        "well, and anything else is skipped.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].split_shape",
        otherwise="Each shape is documented for its own place; what happens to another is not said.",
    ),
    Rule(
        "split.in.unknown-traffic-type",
        "A pair whose traffic type the workspace does not know is skipped.",
        FME_SEGMENT,
        "assumed",
        setting="split.traffic_types",
        otherwise="Not said.",
    ),
    Rule(
        "split.in.traits",
        "The traits of an identify call become attributes of the traffic type, for the key that was identified.",
        FME_SEGMENT,
    ),
    Rule(
        "split.in.traits.text",
        "Attribute values are texts: a number or boolean trait is stored as it is written in JSON.",
        SPLIT_IDENTITIES,
        "assumed",
        otherwise="That values are texts is documented for the API, not for the integration.",
    ),
    Rule(
        "split.in.traits.object",
        "An object trait, such as company, is stored as its JSON text.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].object_traits",
        otherwise="The page says it is received as a string version of the object, not which.",
    ),
    Rule(
        "split.in.traits.null",
        "A trait that is null is left out.",
        FME_SEGMENT,
        "assumed",
        otherwise="Not said.",
    ),
    Rule(
        "split.in.traits.limit",
        "Trait values are limited to 255 characters; a longer one is cut.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].trait_limit",
        otherwise="The limit is documented; whether a longer value is cut or left out is not.",
    ),
    Rule(
        "split.in.attribute-id",
        "An attribute's id starts with a letter and goes on with letters, digits, hyphens and underscores; a "
        "trait with another name is left out.",
        SPLIT_IDENTITIES,
        "assumed",
        setting="split.segment_inbound[].invalid_attribute",
        otherwise="The rule is documented for the API, not what the integration does with other names.",
    ),
    Rule(
        "split.in.group",
        "traits.split, an object from traffic type to key, makes a group call identify those keys. A group "
        "call without it changes nothing, and no toggle governs group calls.",
        FME_SEGMENT,
        "assumed",
        setting="split.segment_inbound[].group_traffic_type",
        otherwise="The page also says that a group goes with the traffic type one configures, but its form has no such "
        "field.",
    ),
    Rule(
        "split.in.group.attributes",
        "Where traits.split names a known traffic type, all other traits become attributes of its key.",
        FME_SEGMENT,
    ),
    Rule(
        "split.unknown-path",
        'An unknown path is answered 404 with {"code": 404, "message": "Not found"}.',
        SPLIT_SDK,
        "assumed",
        otherwise="The shape follows the vendor's other error answers.",
    ),
    Rule(
        "split.contract",
        "What Segment sends to Split and what Split keeps of it have JSON Schema contracts; a payload that breaks one is recorded as an error.",
        FME_SEGMENT,
        "assumed",
        otherwise="Split does not publish what it refuses; the contract holds what its pages and published code show.",
    ),
)

# ---- rules: LaunchDarkly
LAUNCHDARKLY: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.in.track",
        "A track call becomes one custom event, posted alone to LaunchDarkly's events service.",
        LAUNCHDARKLY_SEGMENT,
    ),
    Rule(
        "launchdarkly.in.client-side-id",
        "Events go to the environment of the client-side ID in the destination's settings, and count there only. The ID stands in the path and is the only credential.",
        LAUNCHDARKLY_SEGMENT,
        setting="segment.destinations.*.client_side_id",
    ),
    Rule(
        "launchdarkly.in.mapping-enabled",
        "Only an enabled destination with an enabled mapping sends; a new destination has the mappings Track Event and Alias User, both on.",
        LAUNCHDARKLY_SEGMENT,
        setting="segment.destinations.*.mappings",
        otherwise="LaunchDarkly's page has the mapping Track Event added and switched on by hand; Segment's published code has both as presets.",
    ),
    Rule(
        "launchdarkly.in.event-key-exact",
        "The event's name is copied untouched and has to equal a metric's event key exactly, case and blanks included. A number becomes a text; a missing or empty name fails the event.",
        LAUNCHDARKLY_SEGMENT,
        otherwise="What becomes of a name that is no text, missing or empty is read from Segment's published code.",
    ),
    Rule(
        "launchdarkly.in.context-key",
        "The context key is the userId where there is one, else the anonymousId. An empty userId is there, so it hides the anonymousId, and then fails the event as empty.",
        LAUNCHDARKLY_SEGMENT,
        otherwise="What an empty userId does is read from Segment's published code.",
    ),
    Rule(
        "launchdarkly.in.additional-context-keys",
        "The anonymousId is sent beside it under the kind unauthenticatedUser. Further keys are turned into texts, and one of the event's own kind gives way.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
        otherwise="Alias events call the same kind anonymousUser, as LaunchDarkly's own examples do.",
    ),
    Rule(
        "launchdarkly.in.metric-value",
        "metricValue is properties.revenue where there is one, else properties.value. A text that is a number is read as one; an empty revenue leaves no metricValue and does not fall back; any other text fails the whole event.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
    ),
    Rule(
        "launchdarkly.in.properties",
        "properties become the event's data, an empty object where there are none; properties that are no object fail the event.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
    ),
    Rule(
        "launchdarkly.in.timestamp",
        "creationDate is the timestamp as the JavaScript library dayjs reads it: numbers are milliseconds, digits in a text are misread as a calendar date, a text without an offset is in the process's own time zone (here UTC), a missing one is now, an unreadable one fails the event.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
    ),
    Rule(
        "launchdarkly.in.identify",
        "The mapping Alias User sends an alias event for identify and alias calls. LaunchDarkly accepts it, and no metric or experiment uses it.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
        setting="segment.destinations.*.mappings",
        otherwise="Segment's page says that identify calls are not supported; its code maps them.",
    ),
    Rule(
        "launchdarkly.in.other-calls",
        "page, screen and group calls match none of the destination's own mappings: nothing is sent.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
        otherwise="Segment's catalogue lists page and group for the destination.",
    ),
    Rule(
        "launchdarkly.contract",
        "What Segment sends to LaunchDarkly and what LaunchDarkly keeps of it have JSON Schema contracts; a payload that breaks one is recorded as an error.",
        LAUNCHDARKLY_SEGMENT,
        "assumed",
        otherwise="LaunchDarkly does not publish what it refuses; the contract holds what its pages and published code show.",
    ),
    Rule(
        "launchdarkly.events.accepted",
        "An array of events is answered 202 with an empty body, also where LaunchDarkly drops some of them in silence; each drop is recorded here.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.events.not-an-array",
        "A body that is no JSON array, a single event among them, is answered 400 and nothing of it is kept.",
        LAUNCHDARKLY_HARNESS,
        "observed",
        otherwise="The import page names 400 for a body that is not JSON; the answer of the real service to JSON that is no array is not public.",
    ),
    Rule(
        "launchdarkly.events.unknown-client-side-id",
        "A client-side ID that no environment has is answered 404.",
        LAUNCHDARKLY_RELAY,
        "observed",
        otherwise="Seen of the relay proxy and of the check that Segment's destination makes; other unknown credentials are answered 401.",
    ),
    Rule(
        "launchdarkly.events.kind",
        "An event without a kind that SDKs or Segment send is dropped.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The import page answers 400 to any kind but custom; that cannot hold here, as browsers post other kinds to the same path.",
    ),
    Rule(
        "launchdarkly.events.required-field",
        "An event that lacks a field its kind needs, such as key and creationDate of a custom event, or has it in another type, is dropped.",
        LAUNCHDARKLY_IMPORT,
        otherwise="The page lists the fields of custom events; those of other kinds are what SDKs send.",
    ),
    Rule(
        "launchdarkly.events.context",
        "An event needs contextKeys or a whole context, each key a text that is not empty; else it is dropped.",
        LAUNCHDARKLY_IMPORT,
        otherwise="Both forms are sent by SDKs; the import page documents contextKeys only.",
    ),
    Rule(
        "launchdarkly.events.metric-value",
        "An event whose metricValue is not a number is dropped.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.events.metric-value-null",
        "A metricValue that is null counts as none.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The page only says that numeric metrics require a value.",
    ),
    Rule(
        "launchdarkly.events.schema-header",
        "Events are read as schema 4 whatever X-LaunchDarkly-Event-Schema says.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The page recommends the header for client-side IDs; the server-side import answers 406 to another value.",
    ),
    Rule(
        "launchdarkly.events.goals",
        "The click and page-view metrics of an environment are answered as an array, an empty one where there are none, and HEAD with 200 for a client-side ID that exists, which is how Segment checks one.",
        SEGMENT_LAUNCHDARKLY_CODE,
        "observed",
    ),
    Rule(
        "launchdarkly.unknown-path",
        "A path that does not exist is answered 404 with a message as JSON, and recorded with the list of paths that do.",
        LAUNCHDARKLY_HARNESS,
        "assumed",
        otherwise="What LaunchDarkly's events service answers there is not public.",
    ),
)

# ---- LaunchDarkly: events of SDKs, imported events
LAUNCHDARKLY_PYTHON = Source(
    "PyPI package launchdarkly-server-sdk 9.18.2", "pypi.org/project/launchdarkly-server-sdk", "2026-11-22"
)
LAUNCHDARKLY_NODE = Source(
    "npm package @launchdarkly/node-server-sdk 9.13.7",
    "www.npmjs.com/package/@launchdarkly/node-server-sdk",
    "2026-11-22",
)
LAUNCHDARKLY_EXPORT = Source(
    "LaunchDarkly: Data Export schema reference",
    "launchdarkly.com/docs/integrations/data-export/schema-reference",
    "2026-11-22",
)

LAUNCHDARKLY_EVENTS: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.events.kinds-kept",
        "Events of every kind that SDKs send are kept with their environment and with contextKeys, the key of each context kind, also where they carry a whole context.",
        LAUNCHDARKLY_EXPORT,
    ),
    Rule(
        "launchdarkly.events.unknown-key",
        "Events and diagnostic events with an SDK key or mobile key that no environment has are answered 401; SDKs then stop sending.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.events.api-key-scheme",
        "The key may follow the word `api_key` in Authorization, as older SDKs send it.",
        LAUNCHDARKLY_HARNESS,
        "assumed",
        otherwise="LaunchDarkly's guide for contributors of SDKs writes the word, its current SDKs send the bare key.",
    ),
    Rule(
        "launchdarkly.events.mobile-paths",
        "Mobile SDKs post events to `/mobile`, `/mobile/events` and `/mobile/events/bulk` alike.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.events.date",
        "Answers to events carry Date, here by the lab's clock, and browsers may read it: an SDK sends debug events only while the flag's debugEventsUntilDate is later than that and than its own clock.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.events.payload-id",
        "Events whose X-LaunchDarkly-Payload-ID came before are answered 202 and not kept again; SDKs repeat a batch with the same ID when no answer came.",
        LAUNCHDARKLY_HARNESS,
        "observed",
        otherwise="How long the service remembers an ID is not public; here it is the last 10,000 until the lab is reset.",
    ),
    Rule(
        "launchdarkly.events.diagnostic-at-bulk",
        "A single diagnostic event at a path for arrays of events is answered 400 with a note: the event sender of the JavaScript SDKs repeats one there that failed at its own path.",
        LAUNCHDARKLY_NODE,
        "observed",
    ),
    Rule(
        "launchdarkly.events.pixel",
        "`/a/<client-side ID>.gif` is answered with a GIF of one pixel, and the array of events in its parameter `d`, as base64, is kept.",
        LAUNCHDARKLY_RELAY,
        "observed",
        otherwise="No current SDK asks for it; the relay proxy answers the GIF whatever `d` holds.",
    ),
    Rule(
        "launchdarkly.diagnostics.accepted",
        "A diagnostic event, in which an SDK tells how it is configured or how it fares, is answered 202 and kept apart from events.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.diagnostics.not-an-object",
        "A diagnostic event that is not one JSON object is answered 400.",
        LAUNCHDARKLY_HARNESS,
        "assumed",
        otherwise="The stand-in of LaunchDarkly's SDK tests answers 202 to anything there; what the service does is not public.",
    ),
    Rule(
        "launchdarkly.access-token",
        "The REST API and imported events take an access token in Authorization; anything else, an SDK key too, is answered 401.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.import.unknown-environment",
        "Events that are imported into a project or environment that does not exist are answered 404.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The page does not name the answer; it is that of the REST API.",
    ),
    Rule(
        "launchdarkly.import.schema-header",
        "Imported events whose X-LaunchDarkly-Event-Schema is not 4 are answered 406.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.import.size",
        "Imported events of more than 10 MB are answered 413.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The page names the limit and not the answer.",
    ),
    Rule(
        "launchdarkly.import.kinds",
        "An import with an event of another kind than custom is answered 400, and nothing of it is kept.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.import.user-agent",
        "Imported events are accepted whatever the User-Agent says; the page asks for one such as `MetricImport-Example-int/1.0`, and its absence is noted.",
        LAUNCHDARKLY_IMPORT,
        "assumed",
        otherwise="The page calls the header required and names no answer to its absence.",
    ),
)

# ---- Statsig: SDKs
STATSIG_PYTHON = Source("PyPI package statsig 0.72.1", "pypi.org/project/statsig", "2026-11-22")
STATSIG_PYTHON_CORE = Source(
    "PyPI package statsig-python-core 0.24.0", "pypi.org/project/statsig-python-core", "2026-11-22"
)
STATSIG_NODE = Source("npm package statsig-node 6.5.2", "www.npmjs.com/package/statsig-node", "2026-11-22")
STATSIG_JS = Source("npm package @statsig/js-client 3.33.5", "www.npmjs.com/package/@statsig/js-client", "2026-11-22")
STATSIG_CORE = Source(
    "statsig-io/statsig-server-core", "github.com/statsig-io/statsig-server-core, statsig-rust/src", "2026-11-22"
)
STATSIG_PROXY = Source(
    "statsig-io/statsig-forward-proxy",
    "github.com/statsig-io/statsig-forward-proxy, src/servers/http_server.rs",
    "2026-11-22",
)
STATSIG_KEYS = Source("Statsig: API keys", "docs.statsig.com/access-management/api-keys", "2026-11-22")
STATSIG_ID_LISTS = Source("Statsig: ID List segments", "docs.statsig.com/segments/add-id-list", "2026-11-22")
STATSIG_WORKSPACE = Source("trackside: the workspace file", "docs/workspace.md", "2026-11-22")

STATSIG_SDKS: tuple[Rule, ...] = (
    Rule(
        "statsig.sdk.key",
        "Config specs and ID lists are downloaded with the server secret key, values of one user with the client key or the server secret key, and events and the HTTP API take either; any other key is refused with 401. It travels as statsig-api-key header, in the path, or as k in the query.",
        STATSIG_KEYS,
        otherwise="The body of the refusal is not documented. A client key that has a scope for it may download config specs at Statsig; here none has.",
    ),
    Rule(
        "statsig.sdk.body",
        "A body that is no JSON object is answered 400 by /v1/initialize; elsewhere it counts as one without sinceTime. Both are findings.",
        STATSIG_JS,
        "assumed",
        otherwise="What Statsig answers to such a body is not public.",
    ),
    Rule(
        "statsig.sdk.encodings",
        "se=1 in the query means that the body is base64 written backwards, gz=1 that it is gzip without a Content-Encoding; the content type is text/plain and says nothing.",
        STATSIG_JS,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.two-formats",
        "/v1/download_config_specs answers arrays of specs with conditions inside, /v2/download_config_specs maps of specs by name with a condition_map: each generation of SDKs reads its own.",
        STATSIG_CORE,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.no-updates",
        "An SDK whose sinceTime is that of the latest change gets 200 and has_updates false; 204 and 304 are errors to it.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.post",
        "Config specs also answer to POST, with sinceTime in the body and the key in a header or in the path, as older SDKs ask.",
        STATSIG_PROXY,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.time",
        "The time of the specs grows with every change and never goes back, as SDKs take no older specs; an SDK whose sinceTime is ahead moves it ahead.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.disabled",
        "In the second format a disabled spec has no rules: SDKs that read it evaluate rules whether it is enabled or not.",
        STATSIG_CORE,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.multi-gates",
        "In the second format a segment with a rule for each gate stands for a condition multi_pass_gate or multi_fail_gate, which its SDKs do not know.",
        STATSIG_CORE,
        "assumed",
        otherwise="How Statsig writes these conditions in the second format is not public.",
    ),
    Rule(
        "statsig.sdk.specs.file",
        "specs_file is an answer of download_config_specs in either format, told apart by its shape; both generations of SDKs are served from it. A mistake in it is an error that names file, line and place.",
        STATSIG_CORE,
        "observed",
    ),
    Rule(
        "statsig.sdk.specs.agree",
        "A file is taken as its own SDKs take it: in the first format a gate's rule passes whatever its returnValue says, in the second a rule that returns false lets nobody pass. The other format is written so that its SDKs agree; what some of them do not follow (overrides, experiment_group, a gate that is true by default) is a mistake of the file.",
        STATSIG_PYTHON_CORE,
        "observed",
    ),
    Rule(
        "statsig.sdk.bucketing",
        "A rule passes for a unit whose SHA-256 over the spec's salt, the rule's salt and the unit's ID, in ten thousand parts, is below the percentage; user_bucket is that over the condition's salt and the ID, in a thousand parts.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.short-form",
        "Gates, dynamic configs, experiments, layers and ID lists of the workspace become specs whose salt is their name; groups are of one size unless sizes are given, and experiments in a layer share its buckets one after the other.",
        STATSIG_WORKSPACE,
        "assumed",
        otherwise="Statsig draws salts and buckets at random when something is made.",
    ),
    Rule(
        "statsig.sdk.serve",
        "A change by a test or the control API is a rule ahead of the spec's own, for everyone or for one unit; an experiment that is in a layer is then what the layer asks. Percentages of groups take the place of an experiment's rules but overrides: they are of everyone.",
        STATSIG_WORKSPACE,
        "assumed",
        otherwise="Statsig's console changes rules, or adds overrides, whose rule IDs end in override.",
    ),
    Rule(
        "statsig.sdk.reset",
        "After a reset declared values are served again, under a later time, and an ID list that was changed starts a new file: connected SDKs take both over.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.id-lists.manifest",
        "/v1/get_id_lists answers an object for each ID list, with name, size, url, creationTime and fileID, to POST with any body or none, and to GET with the key in the path.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.id-lists.file",
        "The file of an ID list has a line + or - with the first eight characters of the base64 of the ID's SHA-256; changes are appended.",
        STATSIG_ID_LISTS,
        "observed",
    ),
    Rule(
        "statsig.sdk.id-lists.range",
        "A file is sent from the byte that Range names, with 206 and the exact Content-Length, without any key; 416 past its end, 404 where it is gone.",
        STATSIG_NODE,
        "observed",
    ),
    Rule(
        "statsig.sdk.id-lists.reset",
        "A list that starts afresh has a new fileID and a later creationTime.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.sdk.initialize.hash",
        "Names of gates, configs and layers are hashed as the request asks: djb2 where it does not say, sha256, or none. js-client finds nothing by sha256, which is warned of.",
        STATSIG_JS,
        "observed",
    ),
    Rule(
        "statsig.sdk.initialize.no-updates",
        "A client whose sinceTime is that of the latest change gets has_updates false.",
        STATSIG_JS,
        "observed",
    ),
    Rule(
        "statsig.sdk.initialize.stable-id",
        "The stable ID of statsigMetadata is the user's custom ID stableID unless the user brings one.",
        STATSIG_JS,
        "observed",
    ),
    Rule(
        "statsig.sdk.initialize.evaluation",
        "Values of one user are evaluated by Statsig's own server SDK, which is given the specs in memory and no network.",
        STATSIG_PYTHON_CORE,
        "observed",
    ),
    Rule(
        "statsig.extra-missing",
        "Without statsig-python-core an endpoint that evaluates answers 500 in Statsig's shape, and a finding names trackside[statsig].",
        STATSIG_WORKSPACE,
        "assumed",
        otherwise="Statsig has no such case.",
    ),
    Rule(
        "statsig.sdk.options",
        "Each published SDK is pointed here by its own options: one base address, or the address of each endpoint.",
        STATSIG_CORE,
        "observed",
    ),
    Rule(
        "statsig.sdk.exception-host",
        "Where an SDK reports its own errors can be set in js-client only; statsig and statsig-node have a constant, the SDKs built on Statsig's core none.",
        STATSIG_PYTHON_CORE,
        "observed",
    ),
)

# ---- Statsig: events of SDKs, HTTP API, Console API
STATSIG_HTTP = Source("Statsig: HTTP API", "docs.statsig.com/http-api/overview", "2026-11-22")
STATSIG_CONSOLE_API = Source(
    "Statsig: Console API, OpenAPI document", "api.statsig.com/openapi/20240601.json", "2026-11-22"
)

STATSIG_POSTS: tuple[Rule, ...] = (
    Rule(
        "statsig.events.answer",
        'Events are answered 202 with the body {"success":true}, also where some of them are dropped: after another body SDKs lose them, or send them again.',
        STATSIG_HTTP,
    ),
    Rule(
        "statsig.events.older-paths",
        "Beside log_event, events are taken at rgstr, where js-client posts them, and at log_event_beacon, where older SDKs for browsers do when a page is left.",
        STATSIG_JS,
        "observed",
    ),
    Rule(
        "statsig.events.body",
        "A body that is no JSON object with a list of events is refused with 400; an event that is no object is dropped.",
        STATSIG_HTTP,
        "assumed",
        otherwise="Statsig's answer to such a body is not public.",
    ),
    Rule(
        "statsig.events.record",
        "A custom event is kept as its SDK sends it: name, user, value, metadata and time, with the metadata of the batch. Values of the metadata stay numbers where they are numbers.",
        STATSIG_PYTHON,
        "observed",
        otherwise="The HTTP API documents text for metadata, and the SDKs built on Statsig's core send nothing else; statsig, statsig-node and js-client pass numbers on.",
    ),
    Rule(
        "statsig.events.name",
        "An event without a name is dropped.",
        STATSIG_HTTP,
        "assumed",
        otherwise="The name is required; what becomes of an event without one is not said.",
    ),
    Rule(
        "statsig.events.field",
        "A value that is neither text nor number, and a user or metadata that is no object, is left out of the event.",
        STATSIG_HTTP,
        "assumed",
        otherwise="The types are documented, what becomes of others is not.",
    ),
    Rule(
        "statsig.events.private",
        "Private attributes are used for evaluation and never kept with an event.",
        STATSIG_HTTP,
    ),
    Rule(
        "statsig.events.time",
        "An event's time is a number of milliseconds or an ISO 8601 text; without one it is the time of receipt.",
        STATSIG_HTTP,
        otherwise="That a missing time is the time of receipt is assumed; the field may be left out.",
    ),
    Rule(
        "statsig.events.client-time",
        "STATSIG-CLIENT-TIME is the client's own time when it sends: where its clock differs from the lab's by more than ten seconds, the times of its events are moved by the difference.",
        STATSIG_HTTP,
        otherwise="From which difference on Statsig moves them is not said; up to ten seconds count as the time on the way here, so that times stay as they were sent.",
    ),
    Rule(
        "statsig.events.exposure",
        "Exposures of gates, configs, experiments and layers are kept apart from custom events, each with what was seen; one that names nothing is dropped.",
        STATSIG_PYTHON,
        "observed",
    ),
    Rule(
        "statsig.events.exposure.group",
        "An exposure names the rule that decided. The group of an experiment that the workspace declares is read from it, as its rules and overrides are named after the groups; so is the ID type that it counts for.",
        STATSIG_PYTHON,
        "assumed",
        otherwise="Statsig's own back end knows every experiment; here an experiment from a specs file, or one that a test or the Console API made, is known by the rule's ID only.",
    ),
    Rule(
        "statsig.events.exposure.hash",
        "js-client's exposure of a layer names the experiment by its hash; the name is put back for an experiment that the workspace declares.",
        STATSIG_JS,
        "observed",
        otherwise="For an experiment that only a specs file, a test or the Console API knows, the hash stays.",
    ),
    Rule(
        "statsig.events.diagnostics",
        "statsig::diagnostics and statsig::non_exposed_checks are taken, and kept apart from events and exposures.",
        STATSIG_CORE,
        "observed",
    ),
    Rule(
        "statsig.events.sdk-exception",
        "An exception that an SDK reports of itself is taken whatever its key, and makes a note but no event.",
        STATSIG_PYTHON,
        "observed",
        otherwise="SDKs do not read the answer, and what Statsig answers is not public.",
    ),
    Rule(
        "statsig.http.check-gate",
        "check_gate takes one gate by gateName, or several by gateNames and answers a map of them; rule_id and group_name are null for a gate that fails or is unknown.",
        STATSIG_HTTP,
        otherwise="What group_name is for a rule without a name is not said: it is the rule's ID.",
    ),
    Rule(
        "statsig.http.get-config",
        "get_config gives dynamic configs and experiments; an unknown name gives an empty value, an empty group, and null for the rest.",
        STATSIG_HTTP,
    ),
    Rule(
        "statsig.http.get-layer",
        "get_layer spells its fields ruleID and allocatedExperimentName, and answers 404 for an unknown layer.",
        STATSIG_HTTP,
        otherwise="The body of the 404 is not documented.",
    ),
    Rule(
        "statsig.http.get-ranked-list",
        "get_ranked_list answers 404, as for a config that is no contextual bandit: there are none here.",
        STATSIG_HTTP,
        "assumed",
        otherwise="At Statsig it ranks the variants of a contextual bandit.",
    ),
    Rule(
        "statsig.http.unknown",
        "What is answered 404 is a finding.",
        STATSIG_HTTP,
        "assumed",
        otherwise="Statsig answers 404 and says no more.",
    ),
    Rule(
        "statsig.http.exposures",
        "Each evaluation logs an exposure, unless statsigMetadata.exposureLoggingDisabled is true; a layer logs one for each of its parameters.",
        STATSIG_HTTP,
        otherwise="Which parameters of a layer count as read is not said: all of them do.",
    ),
    Rule(
        "statsig.http.custom-exposure",
        "log_custom_exposure takes exposures of a gate with passes, or of an experiment, each with group or ruleID, and answers 202.",
        STATSIG_HTTP,
    ),
    Rule(
        "statsig.http.shared-user",
        "The user of the body stands in for events and exposures that have none of their own.",
        STATSIG_HTTP,
    ),
    Rule(
        "statsig.http.names",
        "Names have 2 to 100 letters, digits, underscores, hyphens, dots and blanks; any other is refused with 400.",
        STATSIG_HTTP,
        otherwise="The names are documented, the refusal is not.",
    ),
    Rule(
        "statsig.http.body",
        "A body that is no JSON object, or that lacks its names, is refused with 400.",
        STATSIG_HTTP,
        "assumed",
        otherwise="No refusal is documented.",
    ),
    Rule(
        "statsig.console.key",
        "The Console API wants its own key, under /console/v1: any other is refused with 401 in its words, a request without key with 403.",
        STATSIG_CONSOLE_API,
        otherwise="The document has 401 for a key that is no active console key, and 403 as Forbidden resource without saying when; the refused key is not repeated here.",
    ),
    Rule(
        "statsig.console.body",
        "A body that breaks its contract, or that cannot be put in force, is refused with 400, status and message.",
        STATSIG_CONSOLE_API,
        otherwise="The document has one message for all of them; here some say more.",
    ),
    Rule(
        "statsig.console.not-found",
        "What the path names and does not exist is answered 404, with status and message.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.pages",
        "Lists take limit (100 by default) and page, and say in pagination where the page is; totalItems is left out for events.",
        STATSIG_CONSOLE_API,
        otherwise="That a page has 100 rows by default is read from examples.",
    ),
    Rule(
        "statsig.console.ids",
        "What is made has the ID that the body gives, else its name in lower case with underscores for blanks. SDKs ask by the ID.",
        STATSIG_CONSOLE_API,
        "assumed",
        otherwise="Only the example of a gate shows it: A Gate becomes a_gate.",
    ),
    Rule(
        "statsig.console.events",
        "Custom events are read back the latest first, time and value as text, with the SDK's type as source; exposures are not among them.",
        STATSIG_CONSOLE_API,
        otherwise="Whether Statsig lists exposures too is not said; its examples show custom events.",
    ),
    Rule(
        "statsig.console.unit-id-types",
        "The ID types of the project can be listed, and others made.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.gates",
        "Gates can be listed, made (201), read, changed and deleted; SDKs get the change with the next specs.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.gates.switch",
        "A gate can be enabled, disabled, launched and archived: a launched one passes for everyone, one that is disabled or archived for nobody.",
        STATSIG_CONSOLE_API,
        otherwise="That an archived gate passes for nobody is assumed.",
    ),
    Rule(
        "statsig.console.overrides",
        "Overrides put single IDs into a result or group whatever the rules say: POST sets them, PATCH adds some, DELETE takes some away. They are rules whose IDs end in override.",
        STATSIG_CONSOLE_API,
        otherwise="That POST replaces and PATCH adds is assumed. Overrides by environment, by gate and by segment are refused with 400.",
    ),
    Rule(
        "statsig.console.conditions",
        "Conditions have other types than in the specs: user_id and unit_id are unit_id there, passes_gate and passes_segment are pass_gate, email, locale and custom_field are user_field, and so on. Operators are the same.",
        STATSIG_CONSOLE_API,
        otherwise="How Statsig turns one into the other is not public: the specs of published test data show most of it. url, javascript and device_model are refused with 400.",
    ),
    Rule(
        "statsig.console.configs",
        "Dynamic configs can be listed, made, read, changed, enabled, disabled, archived and deleted; one that is disabled gives everyone its default value.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.layers",
        "Layers can be listed, made, read, changed and deleted; parameters sets their defaults.",
        STATSIG_CONSOLE_API,
        otherwise="That the defaults are set by parameters is assumed: the document shows them in answers only.",
    ),
    Rule(
        "statsig.console.experiments",
        "Experiments can be listed, made, read, changed and deleted, with groups, sizes, allocation, a layer and a targeting gate; one from a specs file keeps its groups.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.experiments.start",
        "An experiment is in setup, and gives everyone the default, until it is started; reset, abandon and archive take it out of force again. Only one in setup can be started.",
        STATSIG_CONSOLE_API,
        otherwise="The refusal of a second start is assumed.",
    ),
    Rule(
        "statsig.console.experiments.decision",
        "A decision gives everyone the group that it names by id.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.experiments.targeting",
        "Who does not pass the targeting gate is not in the experiment and gets the default.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.segments",
        "Segments of the types id_list and rule_based can be listed, made, read and deleted; gates ask them by passes_segment.",
        STATSIG_CONSOLE_API,
        otherwise="The other two types need Statsig's own data and are refused with 400.",
    ),
    Rule(
        "statsig.console.id-lists",
        "IDs can be added to an ID list, taken out, and replaced by reset; running SDKs read the change in the list's file.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.id-lists.delete",
        "IDs are taken out by a body with ids; without one nothing is taken out, and the answer is 400.",
        STATSIG_CONSOLE_API,
        "assumed",
        otherwise="The document shows no body for this DELETE.",
    ),
)

# ---- LaunchDarkly: SDKs
LAUNCHDARKLY_FILES = Source(
    "LaunchDarkly: Reading flags from a file", "launchdarkly.com/docs/sdk/features/flags-from-files", "2026-11-22"
)
LAUNCHDARKLY_FLAGS = Source("LaunchDarkly: Creating new flags", "launchdarkly.com/docs/home/flags/new", "2026-11-22")
LAUNCHDARKLY_VARIATIONS = Source(
    "LaunchDarkly: Creating flag variations", "launchdarkly.com/docs/home/flags/variations", "2026-11-22"
)
LAUNCHDARKLY_SECURE_MODE = Source(
    "LaunchDarkly: Secure mode", "launchdarkly.com/docs/sdk/features/secure-mode", "2026-11-22"
)
LAUNCHDARKLY_BROWSER_3 = Source(
    "npm package launchdarkly-js-client-sdk 3.9.5", "www.npmjs.com/package/launchdarkly-js-client-sdk", "2026-11-22"
)
TRACKSIDE_WORKSPACE = Source("trackside: the workspace file", "docs/workspace.md", "2026-11-22")

LAUNCHDARKLY_SDKS: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.flags.short",
        "A flag is declared as a value that everyone gets, in a short form (variations, serve, targets, rules, off), or as a whole flag of the SDKs, which has fallthrough or version; what differs in an environment stands under environments.",
        TRACKSIDE_WORKSPACE,
    ),
    Rule(
        "launchdarkly.flags.file",
        "A flag file has flags, flagValues and segments in JSON or YAML, as the SDKs' file data source reads them; an answer of /sdk/latest-all is such a file. It is read again when it changes.",
        LAUNCHDARKLY_FILES,
    ),
    Rule(
        "launchdarkly.flags.file-key-twice",
        "A key that stands in flags and in flagValues, or twice in one mapping, is a fault.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.flags.file-per-environment",
        "One flag file serves every environment, unless an environment names its own.",
        LAUNCHDARKLY_FILES,
        "assumed",
        setting="launchdarkly.environments.*.flags_file",
        otherwise="The file-data format knows no environments; a dump of /sdk/latest-all is of one.",
    ),
    Rule(
        "launchdarkly.flags.key-twice",
        "Flags of the workspace and of its flag file are merged; a key in both is a fault.",
        TRACKSIDE_WORKSPACE,
    ),
    Rule(
        "launchdarkly.flags.contract",
        "Flags and segments are checked before they are served: one field of a wrong type makes an SDK refuse all data, and wait.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.flags.references",
        "A variation, prerequisite or segment that a flag names has to be there, and no flag may be its own prerequisite.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.flags.complete",
        "Every field that any SDK reads is filled in: an empty list of rules, a salt (the key), trackEvents false, and so on; 1.0 where a whole number belongs is sent as 1.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.flags.availability",
        "A flag that says nothing of client-side SDKs is available to all of them; older data has clientSide alone, which is about client-side IDs.",
        LAUNCHDARKLY_RELAY,
        "assumed",
        otherwise="The file-data format is read by server-side SDKs only, so its page says nothing of it; at LaunchDarkly a new flag is not available to client-side IDs.",
    ),
    Rule(
        "launchdarkly.flags.versions",
        "The version of a flag grows with every change and never goes back, also over a reset or another workspace: an SDK takes a patch only with a higher version than it has, deleted ones included.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.flags.new",
        "A flag that a test or the control API makes exists in every environment, and is off in the others.",
        LAUNCHDARKLY_FLAGS,
    ),
    Rule(
        "launchdarkly.flags.new-variation",
        "A value that is none of a flag's variations becomes one when a test serves it; all variations of a flag are of one kind.",
        LAUNCHDARKLY_VARIATIONS,
        "assumed",
        otherwise="At LaunchDarkly a variation is made before it can be served.",
    ),
    Rule(
        "launchdarkly.sdk.options",
        "Each SDK has options for three base addresses, by which it is pointed here: data, streams and events.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.all-data",
        "/sdk/latest-all answers flags and segments, both of them always: Python's SDK refuses data without one.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.etag",
        "/sdk/latest-all has an ETag, which is the same for the same data in another process; with it in If-None-Match the answer is 304.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.payload-filter",
        "A payload filter is not known here: all flags are served, and a note tells of it.",
        LAUNCHDARKLY_HARNESS,
        "assumed",
        otherwise="LaunchDarkly serves the part of the flags that the filter of that name describes.",
    ),
    Rule(
        "launchdarkly.sdk.environment-id",
        "Answers with flags carry X-LD-EnvID, the client-side ID, which SDKs hand to hooks.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.php",
        "The PHP SDK fetches /sdk/flags, one flag or one segment; 404 for one that there is not.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.stream",
        "/all sends put at once, which replaces everything, then patch and delete with paths such as /flags/banner; a comment keeps it alive.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.flags-stream",
        "/flags is the stream of older SDKs: put has the flags alone, the paths of patch and delete are /KEY.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.sdk.reset",
        "A reset brings connected SDKs back to the declared flags, by changes with higher versions.",
        TRACKSIDE_WORKSPACE,
    ),
    Rule(
        "launchdarkly.client.evaluation",
        "Flags of client-side SDKs are evaluated by launchdarkly-server-sdk itself; an answer is what its all_flags_state gives.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.client.availability",
        "A client-side SDK gets only flags that are available to its kind: by client-side ID, or by mobile key.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.client.version",
        "version in an evaluated flag is the environment's, which grows with every change; flagVersion is the flag's own, which events tell.",
        LAUNCHDARKLY_HARNESS,
        "assumed",
        otherwise="Whether version is the environment's is not public; SDKs only want it to grow when what a flag serves may have changed.",
    ),
    Rule(
        "launchdarkly.client.reasons",
        "A reason is sent with withReasons=true, or where the context is in an experiment; trackEvents and trackReason are true then.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.client.context",
        "A context that cannot be decoded, is no JSON object, has no key or is no valid context is answered 400 with a message.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.client.context-in-path",
        "In a path the context is base64url with or without padding; the other alphabet of base64 is taken too.",
        LAUNCHDARKLY_BROWSER_3,
        "observed",
    ),
    Rule(
        "launchdarkly.client.content-type",
        "A REPORT has to be application/json, else the answer is 415.",
        LAUNCHDARKLY_RELAY,
        "observed",
    ),
    Rule(
        "launchdarkly.client.user",
        "A user of SDKs before contexts, without a kind, is a context of kind user, its custom attributes beside the others; the paths with users and user serve it.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.client.report-path",
        "REPORT goes to .../context, as every SDK sends it, and to .../contexts, as LaunchDarkly's pages write it.",
        LAUNCHDARKLY_BROWSER_3,
        "observed",
        otherwise="LaunchDarkly's guide for contributors and the relay's page say contexts, published SDKs and the relay's code context.",
    ),
    Rule(
        "launchdarkly.client.secure-mode",
        "In secure mode h has to be the HMAC-SHA256 of the context's canonical key with the SDK key, in lower-case hexadecimal; else the answer is 400.",
        LAUNCHDARKLY_SECURE_MODE,
        setting="launchdarkly.environments.*.secure_mode",
    ),
    Rule(
        "launchdarkly.client.stream",
        "/eval sends put with the context's flags at once, then patch and delete for each flag that is another one for this very context; a changed segment is such a change too.",
        LAUNCHDARKLY_BROWSER_3,
        "observed",
        otherwise="The relay sends only pings here, on which SDKs fetch again.",
    ),
    Rule(
        "launchdarkly.client.ping",
        "/ping sends an event with data, as an EventSource tells of no event without, at once and for each change; browsers that use REPORT fetch again then.",
        LAUNCHDARKLY_BROWSER_3,
        "observed",
    ),
    Rule(
        "launchdarkly.client.mobile",
        "Mobile SDKs have the same endpoints at /msdk/evalx, /meval and /mping, with their mobile key in Authorization.",
        LAUNCHDARKLY_HARNESS,
        "observed",
    ),
    Rule(
        "launchdarkly.extra-missing",
        "Without launchdarkly-server-sdk client-side SDKs are answered 503, and an error names the extra trackside[launchdarkly].",
        TRACKSIDE_WORKSPACE,
    ),
)

# ---- Split: what SDKs post, the Events API, the Admin API, the impressions webhook
SPLIT_PYTHON = Source("PyPI package splitio_client 10.7.0", "pypi.org/project/splitio-client", "2026-11-22")
SPLIT_COMMONS = Source(
    "npm package @splitsoftware/splitio-commons 2.12.1",
    "www.npmjs.com/package/@splitsoftware/splitio-commons",
    "2026-11-22",
)
SPLIT_PROXY = Source(
    "Split's own proxy, Split Synchronizer 5.12.4", "github.com/splitio/split-synchronizer", "2026-11-22"
)
SPLIT_CREATE_EVENT = Source("Split API: Create event", "docs.split.io/reference/create-event", "2026-11-22")
SPLIT_ERRORS = Source("Split API: Error codes", "docs.split.io/reference/error-codes", "2026-11-22")
SPLIT_RATES = Source("Split API: Rate limiting", "docs.split.io/reference/rate-limiting", "2026-11-22")
SPLIT_DEFINITION = Source(
    "Split API: Get feature flag definition in environment",
    "docs.split.io/reference/get-split-definition-in-environment",
    "2026-11-22",
)
SPLIT_POSTMAN = Source(
    "Split's Postman collection, public Admin APIs", "github.com/splitio/public-api-postman", "2026-11-22"
)
SPLIT_API_CLIENT = Source("PyPI package splitapiclient 3.5.9", "pypi.org/project/splitapiclient", "2026-11-22")
FME_IMPRESSIONS = Source(
    "Harness FME: Impressions",
    "developer.harness.io/docs/feature-management-experimentation/feature-management/impressions",
    "2026-11-22",
)
FME_IMPRESSIONS_WEBHOOK = Source(
    "Harness FME: Impressions webhook",
    "developer.harness.io/docs/feature-management-experimentation/api/webhook/impressions",
    "2026-11-22",
)

SPLIT_POSTS: tuple[Rule, ...] = (
    Rule(
        "split.posts.path",
        "What SDKs post is taken under /api, /api/v1, /v1 and the root, as SDKs of different languages take different addresses for the base.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.posts.status",
        "Impressions, counts, unique keys and telemetry are answered 200, events 202, beacons 204, all without a body.",
        SPLIT_PROXY,
        "observed",
    ),
    Rule(
        "split.posts.malformed",
        'A post that is not JSON, or not of the kind that its path takes, is answered 400 with {"code": 400, "message": "..."}.',
        SPLIT_PROXY,
        "assumed",
        otherwise="The vendor's answer is not public; the shape is that of its other errors.",
    ),
    Rule(
        "split.posts.size",
        "A body of over 1 MB is taken, with a warning.",
        FME_EVENTS,
        "assumed",
        otherwise="The page asks for less than 1 MB and does not say what becomes of more.",
    ),
    Rule(
        "split.beacons",
        "When a page is left, browser SDKs send beacons: the content type says text, the key is the body's token, and its entries are what an ordinary post's body is.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.telemetry",
        "What SDKs tell of their configuration and usage is taken and checked, and no record is kept of it.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.telemetry.old",
        "Times, counters and gauges of old SDKs are taken and dropped.",
        SPLIT_PROXY,
        "observed",
    ),
    Rule(
        "split.impressions",
        "An SDK posts impressions grouped by flag; each is kept with the environment of the key, and with the SDK and machine that the headers name.",
        FME_IMPRESSIONS,
    ),
    Rule(
        "split.impressions.required",
        "An impression without flag, key, treatment or time, and a count or unique key without its fields, is dropped; the others of the post are kept.",
        SPLIT_COMMONS,
        "assumed",
        otherwise="SDKs always send these fields; what the vendor does without them is not public.",
    ),
    Rule(
        "split.impressions.properties",
        "The properties of an impression come as JSON text and are kept as an object; other text, and an object of over 250 levels, is left out.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.impressions.counts",
        "In the modes OPTIMIZED and NONE SDKs post how often each flag was evaluated in each hour; that is kept apart from impressions.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.impressions.keys",
        "In the mode NONE, and for flags without impressions, SDKs post which keys each flag was evaluated for: server SDKs by flag, client SDKs by key. It is kept by flag.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.events.source",
        "Events of SDKs and of the Events API are kept beside those made from Segment; the source tells them apart: SDK, API, Segment.",
        FME_EVENTS,
        "assumed",
        otherwise="The page's sample shows the source Segment only.",
    ),
    Rule(
        "split.events.required",
        "An event without eventTypeId, trafficTypeName, key or timestamp is dropped, and the others of the post are kept.",
        SPLIT_CREATE_EVENT,
        "assumed",
        otherwise="The page calls the four fields required and does not say what becomes of a bulk post with such an event.",
    ),
    Rule(
        "split.events.single",
        "The Events API takes one event as an object, answered 202; one that lacks a required field is refused with 400.",
        SPLIT_CREATE_EVENT,
    ),
    Rule(
        "split.events.name",
        "An event type with a blank, or one that is no text, is dropped; blanks become underscores for Segment's calls only.",
        FME_EVENTS,
        "assumed",
        otherwise="SDKs refuse such a name before they post; what the vendor does with one is not public.",
    ),
    Rule(
        "split.events.value",
        "A value that is no number is stored as null.",
        FME_EVENTS,
        "assumed",
        otherwise="The page says only that the value is a number.",
    ),
    Rule(
        "split.events.timestamp",
        "The timestamp is in milliseconds; one that is small enough to be in seconds is taken as such, also as text, with a warning.",
        SPLIT_CREATE_EVENT,
        "assumed",
        otherwise="A sample of the page shows a text of seconds; all others a number of milliseconds.",
    ),
    Rule(
        "split.events.properties",
        "Properties that are no object are left out.",
        FME_EVENTS,
        "assumed",
        otherwise="SDKs send an object or null; what the vendor does with another value is not public.",
    ),
    Rule(
        "split.events.traffic-type",
        "An event of a traffic type that the workspace does not know is kept, with a warning; with a flags_file, which may "
        "know more of them, without one.",
        FME_EVENTS,
        "assumed",
        otherwise="The page wants the name of a traffic type that exists, and does not say what becomes of another.",
    ),
    Rule(
        "split.events.environment",
        "An event belongs to the environment of its key; another environmentName is not followed.",
        SPLIT_CREATE_EVENT,
        "assumed",
        otherwise="Older pages and collections have the field environmentName, newer ones leave the choice to the key.",
    ),
    Rule(
        "split.admin.path",
        "The Admin API is under /internal/api/v2, flag sets under /internal/api/v3 and /api/v3.",
        SPLIT_API_CLIENT,
        "observed",
    ),
    Rule(
        "split.admin.key",
        "A call carries the admin key as Authorization: Bearer or, as after the migration to Harness, as x-api-key; another one is answered 401. Where the workspace declares none, any will do.",
        SPLIT_ERRORS,
        setting="split.admin_key",
    ),
    Rule(
        "split.admin.errors",
        'A refused call is answered 400, 401, 404 or 409 with {"code", "message", "details"}.',
        SPLIT_ERRORS,
        "assumed",
        otherwise="The page lists the statuses; the body's shape is not public.",
    ),
    Rule(
        "split.admin.rate-limits",
        "Each answer has the four X-RateLimit headers; no call is ever limited.",
        SPLIT_RATES,
        "assumed",
        otherwise="The vendor counts calls by organization and by address, and answers 429.",
    ),
    Rule(
        "split.admin.paging",
        "Lists are answered in pages with offset, limit and totalCount; a page has up to 200 rows, 20 where the call does not say.",
        SPLIT_API_CLIENT,
        "observed",
    ),
    Rule(
        "split.admin.patch",
        "PATCH takes JSON Patch operations that replace a field, or the fields themselves.",
        SPLIT_API_CLIENT,
        "observed",
    ),
    Rule(
        "split.admin.ids",
        "Workspaces, environments, traffic types and flag sets have ids, the same in every run; where a path wants an id the name will do.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="The collection shows ids, and names for traffic types and environments.",
    ),
    Rule(
        "split.admin.workspaces",
        "There is one workspace, Default.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="An account of the vendor's may have several.",
    ),
    Rule(
        "split.admin.environments",
        "Environments can be made, and deleted where the workspace file does not declare them. One that was made has no SDK key.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="The vendor makes two SDK keys with each environment.",
    ),
    Rule(
        "split.admin.traffic-types",
        "Traffic types can be made and deleted; one that flags belong to cannot be deleted.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="The collection does not show the refusal.",
    ),
    Rule(
        "split.admin.flags",
        "A flag is made in the workspace, and seen by SDKs once it has a definition in their environment. Deleted, it is archived there.",
        SPLIT_POSTMAN,
    ),
    Rule(
        "split.admin.definition",
        "A definition lists treatments with their keys and segments, rules and a default rule; SDKs get it as conditions, at once. A treatment that is not listed, or sizes that do not add up to 100, are refused with 400.",
        SPLIT_DEFINITION,
    ),
    Rule(
        "split.admin.matchers",
        "The Admin API has its own names for matchers, such as IN_LIST_STRING for what SDKs know as WHITELIST, and one field each for what is compared with.",
        SPLIT_POSTMAN,
    ),
    Rule(
        "split.admin.kill",
        "A killed flag gives everybody its default treatment until it is restored.",
        SPLIT_POSTMAN,
    ),
    Rule(
        "split.admin.flag-sets",
        "Flag sets are listed with a marker for the next page; one that flags are in cannot be deleted.",
        SPLIT_API_CLIENT,
        "assumed",
        otherwise="The client shows the marker; what the vendor does with a set in use is not public.",
    ),
    Rule(
        "split.admin.segments",
        "A segment is made in the workspace and put into environments; taken out of one, it loses its keys there.",
        SPLIT_POSTMAN,
    ),
    Rule(
        "split.admin.segment-keys",
        "Keys are added and removed in lists of up to 10,000; an upload with replace=true takes out all others.",
        SPLIT_API_CLIENT,
        "observed",
    ),
    Rule(
        "split.admin.identities",
        "An identity saved by the Admin API is kept as those from Segment are: attributes as text, and no part of any evaluation.",
        SPLIT_IDENTITIES,
    ),
    Rule(
        "split.admin.identities-bulk",
        "Saved in bulk, each identity is answered among those that were saved or, with a status and a message, among those that failed.",
        SPLIT_API_CLIENT,
        "observed",
    ),
    Rule(
        "split.admin.identities-merge",
        "PATCH, and POST to patch, add attributes to those that the Admin API saved before; PUT takes their place.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="Whether attributes from Segment are merged too is not public; here they are not.",
    ),
    Rule(
        "split.admin.identities-delete",
        "A deleted identity is answered 204; the records of what was saved before stay.",
        SPLIT_POSTMAN,
        "assumed",
        otherwise="The vendor forgets the attributes; here a record says what came.",
    ),
    Rule(
        "split.admin.attributes",
        "The attributes of a traffic type can be made, listed by 50, changed and deleted; a data type is string, datetime, number, set or null.",
        SPLIT_POSTMAN,
    ),
    Rule(
        "split.webhook",
        "The impressions of each post are posted on to the impressions webhook as a JSON array, and the SDK does not wait for that.",
        FME_IMPRESSIONS_WEBHOOK,
        setting="split.impressions_webhook",
        otherwise="The vendor collects them for about ten seconds.",
    ),
    Rule(
        "split.webhook.gzip",
        "What is posted to the webhook is compressed, but for Slack, Fivetran and addresses with gzip=false.",
        FME_IMPRESSIONS_WEBHOOK,
    ),
    Rule(
        "split.webhook.retry",
        "Where the webhook does not answer 200, the post is made once more after 300 ms; then an error says so.",
        FME_IMPRESSIONS_WEBHOOK,
    ),
)

# ---- Split: SDKs
SPLIT_NODE = Source(
    "npm package @splitsoftware/splitio 11.11.2", "www.npmjs.com/package/@splitsoftware/splitio", "2026-11-22"
)
SPLIT_BROWSER = Source(
    "npm package @splitsoftware/splitio-browserjs 1.7.1",
    "www.npmjs.com/package/@splitsoftware/splitio-browserjs",
    "2026-11-22",
)
SPLIT_PYTHON = Source("PyPI package splitio_client 10.7.0", "pypi.org/project/splitio-client", "2026-11-22")
SPLIT_SYNCHRONIZER = Source(
    "splitio/split-synchronizer", "github.com/splitio/split-synchronizer, splitio/proxy/controllers", "2026-11-22"
)
SPLIT_GO_COMMONS = Source("splitio/go-split-commons", "github.com/splitio/go-split-commons", "2026-11-22")
SPLIT_COMMONS = Source("splitio/javascript-commons", "github.com/splitio/javascript-commons", "2026-11-22")
SPLIT_FLAG_SETS = Source(
    "Harness FME: Flag sets",
    "developer.harness.io/docs/feature-management-experimentation/feature-management/flag-sets",
    "2026-11-22",
)
SPLIT_LOCALHOST = Source(
    "Harness FME: Python SDK, localhost mode",
    "developer.harness.io/docs/feature-management-experimentation/sdks-and-infrastructure/server-side-sdks/python-sdk",
    "2026-11-22",
)

SPLIT_SDKS: tuple[Rule, ...] = (
    Rule(
        "split.sdk.options",
        "Every published SDK is pointed at the mock by its own options: the base addresses of definitions, events, "
        "auth and telemetry end in /api, that of the stream does not.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.paths",
        "Definitions, segments and memberships are served under /api, /api/v1, /v1 and without a base, as SDKs of "
        "different languages join addresses differently.",
        SPLIT_GO_COMMONS,
        "observed",
    ),
    Rule(
        "split.sdk.version",
        "The path version is answered 200 to anybody, as a check of health.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.key",
        "Requests of SDKs carry their key as Authorization: Bearer. A key that no environment has is answered 401 with "
        'the JSON text "Invalid credentials", and the SDK never becomes ready.',
        SPLIT_SYNCHRONIZER,
        "observed",
        setting="accept_any_key",
    ),
    Rule(
        "split.sdk.key-kinds",
        "Where an environment declares a client_key of its own, that key may not download segments (403) nor ask for "
        "a stream token without naming its users (400).",
        SPLIT_NODE,
        "observed",
        setting="split.environments.*.client_key",
    ),
    Rule(
        "split.sdk.split-changes",
        "splitChanges gives the definitions that changed after the SDK's change number. The answer repeats that number; "
        "an SDK that is up to date gets an empty list with the same number twice.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.since-ahead",
        "A change number that was never given out, such as one of a former run, gets everything and the newest number.",
        SPLIT_PYTHON,
        "assumed",
        otherwise="What the vendor answers is not public. SDKs ask again until both numbers are the same, so this ends.",
    ),
    Rule(
        "split.sdk.change-numbers",
        "Change numbers are moments in milliseconds and grow with every change, also when a test ends and when a file or "
        "the workspace changes; connected SDKs are told of what differs.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.spec",
        "The query's s is the spec, 1.0 to 1.3, and 1.0 where it is left out. Another one is answered 400; an SDK with "
        "another base address then asks for an older one.",
        SPLIT_GO_COMMONS,
        "observed",
    ),
    Rule(
        "split.sdk.spec-old",
        "Below 1.3 the answer is splits, since and till, without rule-based segments.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.sdk.unsupported-matcher",
        "A flag with a matcher that the asked spec lacks (semver before 1.1, large segments before 1.2, rule-based "
        "segments before 1.3) is sent with one condition that gives control to everybody. SDKs for JavaScript ask for 1.2 "
        "when they were started before the mock, so a warning says it.",
        SPLIT_SYNCHRONIZER,
        "observed",
    ),
    Rule(
        "split.sdk.archived",
        "A deleted flag is sent once more as ARCHIVED; SDKs drop it and evaluate it as unknown.",
        SPLIT_COMMONS,
        "observed",
    ),
    Rule(
        "split.sdk.sets",
        "With sets only flags of these flag sets are sent, else with names and prefixes only those that they name. A flag "
        "that left every asked set is sent once without it.",
        SPLIT_FLAG_SETS,
        "assumed",
        otherwise="How the vendor tells of a flag that left a set is not public; SDKs drop it either way.",
    ),
    Rule(
        "split.sdk.sets-limit", "More than 50 flag sets in one question are answered 414.", SPLIT_GO_COMMONS, "observed"
    ),
    Rule(
        "split.sdk.strict-fields",
        "A definition has every field that some SDK needs: without one of them SDKs never become ready, and partitions "
        "that do not add up to 100 make one throw. A flag that lacks them is a fault of the workspace.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.seed",
        "A flag without seeds of its own gets seeds made of its name, so that a key falls into the same partition in "
        "every run and every environment; algo is always 2.",
        SPLIT_PYTHON,
        "assumed",
        otherwise="The vendor draws a seed for each flag and environment.",
    ),
    Rule(
        "split.sdk.flags",
        "A flag of the workspace serves one treatment or percentages, with keys, rules, configurations and what differs by "
        "environment; unquoted on and off count as the treatments.",
        SPLIT_LOCALHOST,
        "assumed",
        setting="split.flags",
        otherwise="The short form is trackside's own; what it becomes is a definition as the vendor's.",
    ),
    Rule(
        "split.sdk.flags-file",
        "flags_file is read as localhost YAML (a list of flags, each with a treatment, and keys and a config if need be), "
        "as localhost JSON, or as an answer of splitChanges of any spec. A mistake is told with its file and line.",
        SPLIT_LOCALHOST,
        setting="split.flags_file",
    ),
    Rule(
        "split.sdk.flags-file.filled",
        "What a definition in a file leaves out, or has out of range, is filled in as in localhost mode: traffic type user, "
        "default treatment control, allocation 100, and a last condition that serves off where none is for everybody. A "
        "field of another type is a mistake.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.patterns",
        "A pattern of MATCHES_STRING that Python cannot compile is a mistake: its SDK would never become ready, where those for "
        "JavaScript take such a rule as not met.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.circles",
        "A flag that depends on itself, by prerequisites or by rules on treatments of other flags, is a mistake: SDKs go round "
        "until their stack is full, and the one for Node throws.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.rule-based-segments",
        "A rule-based segment holds the keys that meet one of its rules and are not excluded; SDKs get its rules with "
        "spec 1.3.",
        SPLIT_NODE,
        "observed",
        setting="split.rule_based_segments",
    ),
    Rule(
        "split.sdk.segment-changes",
        "segmentChanges gives the keys that came and went after the SDK's change number, and the newest one.",
        SPLIT_PYTHON,
        "observed",
        setting="split.segments",
    ),
    Rule(
        "split.sdk.unknown-segment",
        "A segment that does not exist is answered 200 and empty, up to -1: on a 404 Node SDKs never become ready.",
        SPLIT_NODE,
        "observed",
        otherwise="The vendor's Synchronizer answers 404.",
    ),
    Rule(
        "split.sdk.memberships",
        "memberships gives the segments and large segments of one key, with their newest change numbers.",
        SPLIT_BROWSER,
        "observed",
        setting="split.large_segments",
    ),
    Rule(
        "split.sdk.my-segments",
        "mySegments gives the segments of one key to older client-side SDKs.",
        SPLIT_SYNCHRONIZER,
        "observed",
    ),
    Rule(
        "split.sdk.token",
        "auth gives a JWT that is good for an hour, with the channels that it opens as JSON text, and connDelay 0: without "
        "it SDKs for JavaScript wait a minute.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.auth.push-off",
        "With streaming off, auth answers pushEnabled false and an empty token, and SDKs poll.",
        SPLIT_NODE,
        "observed",
        setting="split.streaming",
    ),
    Rule(
        "split.sdk.stream",
        "The event stream begins at once with the occupancy of its control channels, as the SDK for Python waits for a "
        "first frame; it carries what the token and the query's channels allow.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.stream-token",
        "A stream is refused with 401 where its token is not from here or has run out; SDKs come back with another one.",
        SPLIT_GO_COMMONS,
        "observed",
    ),
    Rule(
        "split.sdk.split-update",
        "A changed flag is told as SPLIT_UPDATE with its definition and the change number before it, so that SDKs need not "
        "fetch. Several that change at once share one message without definitions.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.rb-segment-update",
        "A changed rule-based segment is told as RB_SEGMENT_UPDATE, in the same way as a flag.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.kill",
        "A killed flag is told as SPLIT_KILL: it serves its default treatment at once, and SDKs fetch.",
        SPLIT_NODE,
        "observed",
    ),
    Rule(
        "split.sdk.segment-update",
        "A changed segment is told to server-side SDKs as SEGMENT_UPDATE, and they fetch it.",
        SPLIT_PYTHON,
        "observed",
    ),
    Rule(
        "split.sdk.memberships-update",
        "A changed segment or large segment is told to client-side SDKs as MEMBERSHIPS_MS_UPDATE or MEMBERSHIPS_LS_UPDATE "
        "with the strategy to fetch, without the delay that spreads fetches.",
        SPLIT_BROWSER,
        "observed",
    ),
    Rule(
        "split.sdk.control",
        "Control messages pause, resume, end and reset streaming. It is resumed by STREAMING_RESUMED.",
        SPLIT_NODE,
        "observed",
        otherwise="SDKs for Python and Go know STREAMING_ENABLED in its place; the one for Python connects again on "
        "STREAMING_RESUMED, and streams.",
    ),
    Rule(
        "split.sdk.occupancy",
        "Without publishers on any control channel SDKs poll, and stream again when there are some.",
        SPLIT_NODE,
        "observed",
    ),
)

# ---- LaunchDarkly: REST API
LAUNCHDARKLY_REST = Source("LaunchDarkly: REST API", "launchdarkly.com/docs/api", "2026-11-22")
LAUNCHDARKLY_API_CLIENT = Source(
    "PyPI package launchdarkly-api 25.0.1", "pypi.org/project/launchdarkly-api", "2026-11-22"
)

LAUNCHDARKLY_REST_API: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.rest.invalid-request",
        "A call of the REST API whose body is not what it takes, or asks for what cannot be, is answered 400 with a code and a message, 422 where a JSON patch cannot be applied.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.not-found",
        "A resource of the REST API that does not exist, a project other than the workspace's among them, is answered 404.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.conflict",
        "A key that is taken is answered 409, and so is a JSON patch whose `test` does not hold, by which a program sees that a version has moved on.",
        LAUNCHDARKLY_REST,
        otherwise="The page names the status; which call gets which code, conflict or optimistic_locking_error, is assumed.",
    ),
    Rule(
        "launchdarkly.rest.pages",
        "Lists are answered in pages by `limit`, 20 by default, and `offset`, with a count of all.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.cors",
        "The REST API may be called by browsers from any origin.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.token-checks",
        "`/api/v2/versions` and `/api/v2/caller-identity` answer any valid access token.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.environments",
        "The workspace's environments are those of its one project; `_id` is the client-side ID, `apiKey` the SDK key.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.ids",
        "The `_id` of a variation, clause or resource is made of what it is, so that it is the same in every process.",
        LAUNCHDARKLY_REST,
        "assumed",
        otherwise="LaunchDarkly gives random ids, once and for all.",
    ),
    Rule(
        "launchdarkly.rest.flags",
        "A flag is shown with the configuration of each environment, in the form of the REST API: variations with ids, rollouts with experimentAllocation in place of a kind.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.flag-list",
        "A list of flags can be cut down by tag and text, and holds environments where one is asked for by `env` or `filterEnv`, or in versions of the API before 20240415; rules and targets only with `summary=0`.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.flag-create",
        "A new flag is in every environment, off unless `isFlagOn` says otherwise, true or false unless it has variations; it is for mobile SDKs and not for client-side IDs unless it says so.",
        LAUNCHDARKLY_REST,
        otherwise="The availability of new flags is a setting of the project, whose first value this is.",
    ),
    Rule(
        "launchdarkly.rest.flag-delete",
        "A deleted flag is answered 204 and is gone from every environment.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.json-patch",
        "An array of operations, or an object with `patch`, changes a resource by the paths that GET shows.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.merge-patch",
        "Another object is a merge patch: what it names is put in place, null takes away.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.semantic-patch",
        "With `domain-model=launchdarkly.semanticpatch` in the content type the body is a list of instructions, which name variations, rules and clauses by their ids; all of them apply, or none.",
        LAUNCHDARKLY_REST,
        otherwise="36 of LaunchDarkly's instructions are known here; another one is answered 400 and recorded with the list of those.",
    ),
    Rule(
        "launchdarkly.rest.read-only",
        "Fields whose names begin with an underscore cannot be changed; a patch of them is passed over. Others that cannot "
        "be changed here, such as `archived`, stay as they are, and a warning names them.",
        LAUNCHDARKLY_REST,
        otherwise="The page says that they are not editable and not how a patch of one is answered.",
    ),
    Rule(
        "launchdarkly.rest.dry-run",
        "With `dryRun=true` a patch is answered with the flag as it would be, and changes nothing.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.checked",
        "A change that SDKs could not take, or that names a variation, flag or segment that is not there, is refused as a whole.",
        LAUNCHDARKLY_REST,
        "assumed",
        otherwise="What LaunchDarkly checks is not public in full.",
    ),
    Rule(
        "launchdarkly.rest.reaches-sdks",
        "A change by the REST API reaches the connected SDKs of each environment that it is about, and no others.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.evaluate",
        "All flags of an environment are evaluated for a context in the body, with reasons, by LaunchDarkly's own server SDK.",
        LAUNCHDARKLY_API_CLIENT,
        "observed",
    ),
    Rule(
        "launchdarkly.rest.metrics",
        "Metrics can be listed, read, created, patched and deleted, until the lab is reset.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.metric-defaults",
        "A metric that does not say how it adds up takes the average of a unit's events and the mean of all units, and a unit without events counts as 0.",
        LAUNCHDARKLY_REST,
        "assumed",
        otherwise="The page says so of eventDefault; of the others it names no default.",
    ),
    Rule(
        "launchdarkly.rest.goals",
        "A click or page-view metric that was created is among the goals that browsers fetch.",
        LAUNCHDARKLY_API_CLIENT,
        "assumed",
        otherwise="Whether LaunchDarkly serves goals of metrics that no experiment uses is not public.",
    ),
    Rule(
        "launchdarkly.rest.experiments",
        "An environment's experiments are those that are declared or were created, and those that other flags serve, each running under its flag's key; `total_count` counts them.",
        LAUNCHDARKLY_REST,
        otherwise="At LaunchDarkly a flag serves an experiment because one was started; here a flag that is declared so counts as one.",
    ),
    Rule(
        "launchdarkly.rest.experiment-create",
        "A created experiment has a first iteration that is not started, and changes no flag.",
        LAUNCHDARKLY_REST,
    ),
    Rule(
        "launchdarkly.rest.experiment-patch",
        "An experiment is changed by a semantic patch, all of its instructions or none: its name, description and tags at any time, the rest of an iteration before it starts. Without the content type of semantic patches it is answered 400.",
        LAUNCHDARKLY_API_CLIENT,
        otherwise="Which fields can be changed is told by `mutableFieldsByStatus` at LaunchDarkly; here name, description, tags, hypothesis, metrics, primarySingleMetricKey, randomizationUnit and treatments are known.",
    ),
    Rule(
        "launchdarkly.rest.iterations",
        "A new iteration is the experiment's `draftIteration` until it is started; then it is the `currentIteration`, also when it is stopped, and one of the `previousIterations` once the next one starts.",
        LAUNCHDARKLY_API_CLIENT,
        otherwise="That a stopped iteration stays the current one until the next one starts is taken from the statuses that a current iteration can have.",
    ),
    Rule(
        "launchdarkly.rest.start-iteration",
        "An iteration starts only where its flag is on, its randomization unit is set, a treatment has traffic, and the experiment is not archived; one that runs already needs a changeJustification, and is stopped. The flag's rule then serves the treatments as an experiment, and connected SDKs get it; the rest of the traffic gets the baseline, or notInExperimentVariationId, untracked.",
        LAUNCHDARKLY_API_CLIENT,
    ),
    Rule(
        "launchdarkly.rest.stop-iteration",
        "A running iteration is stopped with the id of the treatment that won, which the flag's rule serves from then on. `saveAndStartNewIteration` stops one without a winner and starts another of its kind.",
        LAUNCHDARKLY_API_CLIENT,
        otherwise="The page does not call winningTreatmentId optional, and not required either; here a stop without it is answered 400.",
    ),
)

# ---- LaunchDarkly: metrics, and what counts
LAUNCHDARKLY_EXPERIMENT_EVENTS = Source(
    "LaunchDarkly: Experimentation and metric events",
    "launchdarkly.com/docs/home/experimentation/events",
    "2026-11-22",
)
LAUNCHDARKLY_RANDOMIZATION = Source(
    "LaunchDarkly: Randomization units", "launchdarkly.com/docs/home/experimentation/randomization", "2026-11-22"
)
LAUNCHDARKLY_START_STOP = Source(
    "LaunchDarkly: Starting and stopping experiment iterations",
    "launchdarkly.com/docs/home/experimentation/start-stop-exp",
    "2026-11-22",
)
LAUNCHDARKLY_NUMERIC = Source(
    "LaunchDarkly: Custom numeric metrics", "launchdarkly.com/docs/home/metrics/custom-numeric", "2026-11-22"
)
LAUNCHDARKLY_ANALYSIS = Source(
    "LaunchDarkly: Metric analysis", "launchdarkly.com/docs/home/metrics/metric-analysis", "2026-11-22"
)
LAUNCHDARKLY_FILTERS = Source(
    "LaunchDarkly: Filtering custom metric events", "launchdarkly.com/docs/home/metrics/event-filters", "2026-11-22"
)
LAUNCHDARKLY_HEALTH = Source(
    "LaunchDarkly: Experiment health checks",
    "launchdarkly.com/docs/home/experimentation/health-checks",
    "2026-11-22",
)

LAUNCHDARKLY_COUNTING: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.in.experiment",
        "An event counts in an experiment only if one of the metrics that are attached takes it, the experiment is recording, and the context was included: the SDK said so when it evaluated the flag.",
        LAUNCHDARKLY_SEGMENT,
        otherwise="The page has metrics attached to a flag; in the REST API they are those of the experiment's iteration.",
    ),
    Rule(
        "launchdarkly.in.context-match",
        "An event correlates only where its context kind and key are those of a context that an SDK evaluated flags with, exactly. Events that carry contextKeys alone, as Segment's and imported ones, make no context known.",
        LAUNCHDARKLY_SEGMENT,
    ),
    Rule(
        "launchdarkly.in.metric-kinds",
        "Custom conversion binary, custom conversion count and custom numeric metrics take custom events, Segment's among them; clicked or tapped and page viewed metrics take only what browser SDKs send of themselves.",
        LAUNCHDARKLY_SEGMENT,
        otherwise="That a click or page view names the metric by its key is what goals of this lab make SDKs send; LaunchDarkly calls that key internal.",
    ),
    Rule(
        "launchdarkly.counting.metrics",
        "A metric of the workspace is one as the REST API makes it: a custom one is conversion binary, with the aggregation sum conversion count, and numeric where it is numeric.",
        LAUNCHDARKLY_ANALYSIS,
        setting="launchdarkly.metrics",
        otherwise="That sum makes a count is documented for clicks and page views, and taken over for custom metrics. Percentiles are not computed: such a metric has the mean of the units that have events.",
    ),
    Rule(
        "launchdarkly.counting.experiments",
        "A running experiment of the workspace makes the percentages of a flag that stands there an experiment's, divided by its randomization unit, as LaunchDarkly does when an iteration starts. Flags of flag files, and flags written as SDKs have them, stay as they are.",
        LAUNCHDARKLY_START_STOP,
        "assumed",
        setting="launchdarkly.experiments",
        otherwise="At LaunchDarkly an experiment is created and started, and its flag changed by that.",
    ),
    Rule(
        "launchdarkly.counting.flag",
        "A running experiment gets exposures only while its flag is on and serves it as an experiment.",
        LAUNCHDARKLY_HEALTH,
    ),
    Rule(
        "launchdarkly.counting.randomization-unit",
        "Flag, experiment, metric and event have to have the same randomization unit: the metric can be analysed by the experiment's context kind, and the event carries a key of that kind.",
        LAUNCHDARKLY_RANDOMIZATION,
    ),
    Rule(
        "launchdarkly.counting.first-variation",
        "Of several variations that a context was seen with, the first one in the 90 days before an event gets the credit for it.",
        LAUNCHDARKLY_EXPERIMENT_EVENTS,
    ),
    Rule(
        "launchdarkly.counting.window",
        "An event counts for an exposure of at most 90 days before.",
        LAUNCHDARKLY_EXPERIMENT_EVENTS,
    ),
    Rule(
        "launchdarkly.counting.arrival",
        "Events and exposures are put in order by when they arrive, whatever their creationDate says; an event has to arrive after the exposure.",
        LAUNCHDARKLY_IMPORT,
    ),
    Rule(
        "launchdarkly.counting.iteration",
        "Only what arrives while an iteration is running counts; nothing can be added to one that is stopped.",
        LAUNCHDARKLY_IMPORT,
        otherwise="An iteration of the workspace that is stopped without a date never recorded.",
    ),
    Rule(
        "launchdarkly.counting.environment",
        "An experiment belongs to one environment, and only exposures and events of that environment count in it.",
        LAUNCHDARKLY_SEGMENT,
    ),
    Rule(
        "launchdarkly.counting.numeric-value",
        "A numeric metric takes the event's metricValue, and an event without one is nothing to it; conversion metrics pay it no heed. A unit without events counts as 0, or is left out if the metric says so, and always for percentiles.",
        LAUNCHDARKLY_NUMERIC,
        otherwise="The pages say that numeric metrics require a value, and not what becomes of an event without one.",
    ),
    Rule(
        "launchdarkly.counting.filters",
        "A metric can be limited to events whose data has a property, or whose context has an attribute; all filters have to pass. A context's attributes, but its key, are there only where the event brings a whole context, which Segment's do not.",
        LAUNCHDARKLY_FILTERS,
        otherwise="Operators are those of flags' clauses, as far as they compare text and numbers; others, and alternatives, are refused.",
    ),
)

# ---- LaunchDarkly: FDv2
LAUNCHDARKLY_BROWSER_4 = Source(
    "npm package @launchdarkly/js-client-sdk 4.10.3",
    "www.npmjs.com/package/@launchdarkly/js-client-sdk",
    "2026-11-22",
)
LAUNCHDARKLY_RELAY_9 = Source("launchdarkly/ld-relay 9", "github.com/launchdarkly/ld-relay", "2026-11-22")

LAUNCHDARKLY_FDV2: tuple[Rule, ...] = (
    Rule(
        "launchdarkly.fdv2.transfer",
        "An SDK in data saving mode gets a transfer: an intent, objects, and the state that they lead to. It is everything, or nothing for an SDK that is up to date.",
        LAUNCHDARKLY_RELAY_9,
        "observed",
        otherwise="The protocol also knows a transfer of changes only; a full one is always allowed, and LaunchDarkly's relay proxy sends no other.",
    ),
    Rule(
        "launchdarkly.fdv2.basis",
        "An SDK gives the state of its last transfer back as `basis`. A state holds for one payload, which is an environment or one context in it, and for one run of the lab; any other gets everything.",
        LAUNCHDARKLY_PYTHON,
        "observed",
        otherwise="What LaunchDarkly's states look like is nobody's business: SDKs only hand them back.",
    ),
    Rule(
        "launchdarkly.fdv2.objects",
        "Flags and segments are put and deleted one by one, with their versions; evaluated flags have theirs outside of the object.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.fdv2.poll",
        "`/sdk/poll` answers a transfer as an array of events with an ETag; with it in If-None-Match the answer is 304.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.fdv2.stream",
        "`/sdk/stream` begins with a transfer; a change after it is its objects and the new state, without another intent.",
        LAUNCHDARKLY_PYTHON,
        "observed",
    ),
    Rule(
        "launchdarkly.fdv2.eval",
        "Client-side SDKs get evaluated flags at `/sdk/poll/eval` and `/sdk/stream/eval`, the context in the path or as body, with the client-side ID in `auth` or the mobile key in Authorization; a stream tells of what changes for the context.",
        LAUNCHDARKLY_BROWSER_4,
        "observed",
    ),
)

# ---- Statsig: exports to Segment, config changes, the anonymous join
STATSIG_OUTBOUND = Source(
    "Statsig: Segment, Configuring Outbound Events",
    "docs.statsig.com/integrations/data-connectors/segment",
    "2026-11-22",
)
STATSIG_EVENT_FILTERING = Source(
    "Statsig: Event Filtering", "docs.statsig.com/integrations/event_filtering", "2026-11-22"
)
STATSIG_EVENT_WEBHOOK = Source("Statsig: Event Webhook", "docs.statsig.com/integrations/event_webhook", "2026-11-22")
SEGMENT_STATSIG_SOURCE = Source(
    "Segment: Statsig Source", "segment.com/docs/connections/sources/catalog/cloud-apps/statsig", "2026-11-22"
)

STATSIG_EXPORTS: tuple[Rule, ...] = (
    Rule(
        "statsig.out.write-key",
        "Once the outgoing side is enabled, exports go to the Segment source whose write key is pasted there. A workspace that enables it without a write key is refused; a write key that no source has is warned of, and Segment says so of each request.",
        STATSIG_OUTBOUND,
        setting="statsig.segment_outbound.write_key",
        otherwise="Whether Statsig calls Segment's batch endpoint or the one for track calls is not public: batches are sent here.",
    ),
    Rule(
        "statsig.out.event",
        "A custom event or an exposure becomes a track call with userId, a timestamp in milliseconds as a number, the event's name, a context of user, value, metadata, library (statsig 1.0) and stableID, and properties of value and metadata.",
        STATSIG_OUTBOUND,
    ),
    Rule(
        "statsig.out.value",
        "An event without a value has null there, as the schema copies the event's field.",
        STATSIG_OUTBOUND,
        "assumed",
        setting="statsig.segment_outbound.empty_value",
        otherwise="Samples of Statsig's event webhook have an empty text.",
    ),
    Rule(
        "statsig.out.anonymous",
        "An event without a user ID is sent with its stable ID as anonymousId. One that has neither, nor an ID that is mapped, is not sent: Segment takes no call without one of both.",
        SEGMENT_STATSIG_SOURCE,
        "assumed",
        setting="statsig.segment_outbound.anonymous_stable_id",
        otherwise="Segment's page says that anonymousId is typically the stable ID, set by the identifier mapping; the schema on Statsig's page has only context.stableID.",
    ),
    Rule(
        "statsig.out.map-identifier",
        "A Map Identifiers row of the outgoing side fills a top-level field of the call from an ID type, where the event has such an ID and the field is not filled yet.",
        SEGMENT_STATSIG_SOURCE,
        setting="statsig.segment_outbound.map_identifiers",
        otherwise="Which fields may be named is not said: any but those that the schema fills itself, and messageId, by which Segment tells calls apart.",
    ),
    Rule(
        "statsig.out.names",
        "SDKs log experiments as configs and holdouts as gates; on the way out an exposure is named after what was seen: gate, config (a dynamic config), experiment (an autotune too), layer or holdout.",
        STATSIG_EVENT_WEBHOOK,
        "assumed",
        setting="statsig.segment_outbound.exposures",
        otherwise="Segment's page lists gate, config and experiment exposures; whether it gets those of layers and holdouts, which other integrations get, is not public.",
    ),
    Rule(
        "statsig.out.names.group",
        "The exposure of an experiment has experimentGroupName in its metadata, where the rule that decided belongs to a group.",
        STATSIG_EVENT_WEBHOOK,
    ),
    Rule(
        "statsig.out.names.hash",
        "js-client names a layer's experiment by the hash that it was given; the export has its name.",
        STATSIG_JS,
        "assumed",
        otherwise="What Statsig exports in its place is not public.",
    ),
    Rule(
        "statsig.out.filter",
        "The outgoing Event Filtering chooses categories (exposures, custom events, config changes) and custom events by name, with a choice of its own for new names. What SDKs tell of themselves is in no category.",
        STATSIG_EVENT_FILTERING,
        setting="statsig.segment_outbound.categories",
    ),
    Rule(
        "statsig.out.config-change",
        "A changed gate, config, experiment, layer or segment makes one statsig::config_change with userId, a timestamp in milliseconds as a number, context.library, and properties author, configName, description and environment. It is sent as a track call. Starting and resetting a lab changes nothing.",
        STATSIG_OUTBOUND,
        "assumed",
        setting="statsig.segment_outbound.categories",
        otherwise="The schema is documented, but prints no type; which changes make how many events is not said.",
    ),
    Rule(
        "statsig.out.config-change.author",
        "Author, userId and environment of a config change are settings: trackside has no console users, and specs of Statsig are of all environments.",
        STATSIG_OUTBOUND,
        "assumed",
        setting="statsig.segment_outbound.config_change_author",
    ),
    Rule(
        "statsig.out.config-change.description",
        "The description of a config change says what was created, updated or deleted, and which of its fields differ.",
        STATSIG_EVENT_WEBHOOK,
        "assumed",
        otherwise="Statsig's samples show lists of changes in words of its own, such as the parameters that were added.",
    ),
    Rule(
        "statsig.out.config-change.audience",
        "An ID list that Segment itself changes, as the audience of a destination, makes no config change.",
        STATSIG_OUTBOUND,
        "assumed",
        otherwise="No page says whether it does; each member who comes or goes would send an event back to Segment.",
    ),
    Rule(
        "statsig.out.loop",
        "Events that came from Segment are not exported to Segment, so that none goes round for ever.",
        STATSIG_OUTBOUND,
        "assumed",
        otherwise="Neither vendor's page says what keeps an event from circling where a source that Statsig exports to feeds Statsig too.",
    ),
    Rule(
        "statsig.out.retry",
        "Where Segment does not take an export now (no answer, 408, 423, 429 or 5xx), it is tried again on the schedule of segment.retry; the SDK's request is answered all the same.",
        STATSIG_OUTBOUND,
        "assumed",
        setting="segment.retry",
        otherwise="How Statsig retries is not public.",
    ),
    Rule(
        "statsig.out.refused",
        "Where Segment refuses an export for good, or the hours of retrying are over, it is lost, and an error says so.",
        STATSIG_OUTBOUND,
        "assumed",
        otherwise="What Statsig tells of it is not public.",
    ),
    Rule(
        "statsig.in.anonymous-join",
        "A user of an SDK whose customIDs.segmentAnonymousId is Segment's anonymousId, from the start or since an updateUser, is the same unit as the Segment events whose anonymousId is mapped to that ID type.",
        STATSIG_SEGMENT,
        setting="statsig.segment_inbound.map_identifiers",
    ),
    Rule(
        "statsig.in.id-type-known",
        "A custom ID joins events and exposures only where the project declares its ID type.",
        STATSIG_SEGMENT,
    ),
)

# ---- Split: metrics, experiments, and what counts
FME_ATTRIBUTION = Source(
    "Harness FME: Attribution and exclusion",
    "developer.harness.io/docs/feature-management-experimentation/release-monitoring/attribution-and-exclusion",
    "2026-11-22",
)
FME_METRICS = Source(
    "Harness FME: Metrics",
    "developer.harness.io/docs/feature-management-experimentation/release-monitoring/metrics",
    "2026-11-22",
)
HARNESS_CLI = Source("Harness CLI, its tests of FME", "github.com/harness/cli", "2026-11-22")
HARNESS_SKILLS = Source(
    "Harness skills: FME tool map", "github.com/harness/harness-skills, references/fme/tool-map.md", "2026-11-22"
)

SPLIT_COUNTING: tuple[Rule, ...] = (
    Rule(
        "split.counting.key",
        "An event counts for the treatment that its key had: the key of the event is that of an impression, exactly, and the moments that both name decide, not when they arrived.",
        FME_ATTRIBUTION,
    ),
    Rule(
        "split.counting.traffic-type",
        "The key of an event is of the flag's traffic type, and so is the metric: events and metrics of another one never count.",
        FME_ATTRIBUTION,
    ),
    Rule(
        "split.counting.environment",
        "Impressions and events count in the environment that they came to.",
        FME_EVENTS,
    ),
    Rule(
        "split.counting.window",
        "Events count from 15 minutes before the key's first impression of a rule and treatment on, for as long as the flag's version is in force.",
        FME_ATTRIBUTION,
        otherwise="The vendor keeps the results of a former version, with events until 15 minutes after its end; here the version in force is shown.",
    ),
    Rule(
        "split.counting.switch-once",
        "Where a key's rule or treatment changes once, its events count for the former until 15 minutes after the first impression of the latter, and for the latter from 15 minutes before that: those of 30 minutes count for both.",
        FME_ATTRIBUTION,
        otherwise="A later sentence of the page says that all of the key's events count for the most recent rule and treatment.",
    ),
    Rule(
        "split.counting.excluded",
        "A key whose rule or treatment changes a second time is left out: none of its events count for this flag.",
        FME_ATTRIBUTION,
    ),
    Rule(
        "split.counting.version",
        "A change of a flag's definition makes a new version, for which metrics begin at zero: what came before does not count.",
        FME_ATTRIBUTION,
        otherwise="Impressions are told apart by when they were made; an SDK that has not heard of the change yet is taken to know it.",
    ),
    Rule(
        "split.counting.retention",
        "Impressions and events are kept for 90 days: an event that comes later than that after the key's last impression counts for nothing.",
        FME_ATTRIBUTION,
        otherwise="The page gives the 90 days; that a key is forgotten with its last impression is a conclusion.",
    ),
    Rule(
        "split.counting.metric-types",
        "A metric takes the events of exactly one event type, and counts them per key (COUNT), adds up (TOTAL) or averages (AVERAGE) their values per key, or asks whether a key has one (RATE). Each key is one data point; an average leaves out keys without an event.",
        FME_METRICS,
        otherwise="That keys without an event are left out of an average is a conclusion: they have no value to average.",
    ),
    Rule(
        "split.counting.value",
        "TOTAL and AVERAGE read the event's value, or the property that the metric names; an event without a number there counts as 0.",
        FME_EVENTS,
        otherwise="The page about Segment calls such a value null, the one about events says that it counts as 0.",
    ),
    Rule(
        "split.counting.filters",
        "A metric can take only events with certain properties; MATCHES compares by a regular expression.",
        FME_METRICS,
        "assumed",
        otherwise="The field propertyFilters is public, the form of its items is not: property, operator and values here.",
    ),
    Rule(
        "split.counting.second-event",
        "Metrics of two events, which divide one by the other or ask what a key has done besides or before, are refused: they are not emulated. So are those of several event types.",
        FME_METRICS,
        "assumed",
        otherwise="The vendor has them: filterEventType and triggerEventType.",
    ),
    Rule(
        "split.counting.experiment",
        "Each flag with a percentage rule is an experiment that every metric of its traffic type is computed for. One that is declared has its key and supporting metrics if it names some, and every guardrail metric.",
        FME_METRICS,
        otherwise="What the vendor shows of other metrics in an experiment that names its own is not public.",
    ),
    Rule(
        "split.counting.rule-label",
        "Results are those of one targeting rule, which impressions name by their label: the default rule where nothing else is said. Only impressions with this label count.",
        FME_ATTRIBUTION,
    ),
    Rule(
        "split.counting.control",
        "Impressions with the treatment control, with a fallback treatment, and of keys outside the traffic allocation take no part.",
        FME_IMPRESSIONS,
        "assumed",
        otherwise="Results are per targeting rule, and no rule gave these treatments.",
    ),
    Rule(
        "split.v4.path",
        "The v4 API is under /fme/api/v4, with the admin key in x-api-key or as a bearer token; account, organization and project in the query are taken, whichever they are.",
        HARNESS_CLI,
        "observed",
    ),
    Rule(
        "split.v4.paging",
        "A list has up to 100 rows under data, with limit, offset and totalCount, by name or, with sort_order=DESCENDING, against it.",
        HARNESS_CLI,
        "observed",
        otherwise="By what the vendor sorts is not public.",
    ),
    Rule(
        "split.v4.answers",
        "What makes or changes something is answered with the entity as it stands and what governance said, here null; what makes it with 201. What deletes it with the latter only.",
        HARNESS_CLI,
        "observed",
        otherwise="The status 201 is that of flags in the published tools.",
    ),
    Rule(
        "split.v4.patch",
        "A PATCH is a JSON Merge Patch, in which null takes a field away. A metric keeps its name and traffic type, an experiment its flag; what has to be there cannot be taken away.",
        HARNESS_SKILLS,
    ),
    Rule(
        "split.v4.metrics",
        "Metrics are made, listed, changed and deleted by the API, those of the workspace too; a name or a definition that is there already is refused with 409. A cap is kept and not applied.",
        HARNESS_SKILLS,
        otherwise="The vendor asks for an owner for the time being, and here none is needed.",
    ),
    Rule(
        "split.v4.experiments",
        "Experiments are made, listed, changed and deleted by the API, those of the workspace too. A name that is there already is refused with 409, a flag without a definition in the environment with 404. Lists have the active ones where no status is asked for.",
        HARNESS_SKILLS,
        "assumed",
        otherwise="Fields and statuses are public, the paths are not: they are those of metrics with another noun.",
    ),
)

# ---- Statsig: metrics, and what counts
STATSIG_RECONCILING = Source(
    "Statsig: Reconciling Results Between Experimentation Platforms",
    "docs.statsig.com/experiments/interpreting-results/reconciling-experiment-results",
    "2026-11-22",
)
STATSIG_MONITOR = Source("Statsig: Monitor an Experiment", "docs.statsig.com/experiments/monitor", "2026-11-22")
STATSIG_OVERRIDES = Source(
    "Statsig: Experiment Overrides", "docs.statsig.com/experiments/setup/overrides", "2026-11-22"
)
STATSIG_PULSE = Source("Statsig: Pulse Metrics", "docs.statsig.com/metrics/pulse", "2026-11-22")
STATSIG_AUTO_METRICS = Source(
    "Statsig: Auto-generated Metrics", "docs.statsig.com/metrics/raw-event-metrics", "2026-11-22"
)
STATSIG_CUSTOM_METRICS = Source("Statsig: Creating Custom Metrics", "docs.statsig.com/metrics/create", "2026-11-22")
STATSIG_HOW_METRICS = Source(
    "Statsig: How Metrics Work on Statsig", "docs.statsig.com/metrics/how-metrics-work", "2026-11-22"
)
STATSIG_METRICS_DASHBOARD = Source("Statsig: Metrics Dashboard", "docs.statsig.com/metrics/console", "2026-11-22")
STATSIG_CUSTOM_IDS = Source(
    "Statsig: Experiment on custom Unit ID types", "docs.statsig.com/guides/experiment-on-custom-id-types", "2026-11-22"
)
STATSIG_GROUPS = Source(
    "Statsig: Getting a user's group", "docs.statsig.com/experiments/implementation/getting-group", "2026-11-22"
)
STATSIG_GATE_CONDITIONS = Source("Statsig: Gate conditions", "docs.statsig.com/feature-flags/conditions", "2026-11-22")

STATSIG_COUNTING: tuple[Rule, ...] = (
    Rule(
        "statsig.in.metrics",
        "Segment's events are aggregated per event name under Metrics, and are in the results of every experiment and of every gate that passes for a part of its units, joined to exposures by the unit's id; nothing has to be attached.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.counting.auto-metrics",
        "Each custom event has an event_count metric of its own name without being declared, for every ID type of the project. An experiment that names a metric that nobody declares means this one.",
        STATSIG_AUTO_METRICS,
    ),
    Rule(
        "statsig.counting.event-name",
        "A metric takes the events whose name is exactly its own: that of a Segment event begins with segment::.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.counting.metric-types",
        "event_count and event_count_custom count a unit's events, sum adds up their numbers, and mean is that of all numbers among units that have one; event_dau and event_user count days or units. Ratios and funnels are not emulated, nor are winsorization and CUPED.",
        STATSIG_PULSE,
    ),
    Rule(
        "statsig.counting.event-user",
        "An event_user metric counts the days on which a unit has the event, as part of its days in the experiment, or, in the rollup mode of one-time events (max), whether it ever has it.",
        STATSIG_CUSTOM_METRICS,
        "assumed",
        setting="statsig.metrics.*.rollup_time_window",
        otherwise="Both modes are documented; which one holds where a metric names none is not: daily participation here, as the page that takes such a metric for daily active users chooses none.",
    ),
    Rule(
        "statsig.counting.metric-value",
        "A sum or mean reads a number from the event's value, or from a key of its metadata; metadata is text, and text that is a number counts. An event without adds nothing.",
        STATSIG_CUSTOM_METRICS,
        otherwise="Segment's value and revenue stay in the metadata: a metric of them reads a key of the metadata, unless segment_inbound.value_property is set.",
    ),
    Rule(
        "statsig.counting.criteria",
        "A metric can be limited to events whose value, metadata or user meet criteria, all of them. Criteria that only Warehouse Native has are refused.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.counting.exposure-first",
        "A unit's events count from the beginning of the day of its first exposure: Statsig Cloud joins by date, so that events of the same day count that came before the exposure.",
        STATSIG_RECONCILING,
        setting="statsig.exposure_join",
        otherwise="Some Enterprise projects, and Warehouse Native, join by timestamp: there events count from the exposure on (timestamp).",
    ),
    Rule(
        "statsig.counting.day",
        "The days of a project begin at midnight of UTC-8, and know no daylight saving time.",
        STATSIG_AUTO_METRICS,
        setting="statsig.day_utc_offset",
        otherwise="A project can be set to other hours; another page says that the timestamps of exposures are in UTC.",
    ),
    Rule(
        "statsig.counting.unit",
        "An event counts for the unit whose id it carries under the experiment's ID type, letter by letter; userID, each custom ID and the stableID join by themselves. A custom metric counts only where its unit types have that of the experiment.",
        STATSIG_CUSTOM_IDS,
    ),
    Rule(
        "statsig.counting.groups",
        "A unit takes part where its exposure names the rule of a group. Who is not allocated, fails the targeting, or is in another part of the layer, is exposed to another rule, and is in no results.",
        STATSIG_GROUPS,
    ),
    Rule(
        "statsig.counting.crossover",
        "A unit that was seen in several groups stays in the results of each, and is told of.",
        STATSIG_MONITOR,
        otherwise="Warehouse Native leaves such units out.",
    ),
    Rule(
        "statsig.counting.overrides",
        "A unit whose first exposure is controlled by an override is left out of results. After an override that is set later its events go on to count for the group in which it was first.",
        STATSIG_OVERRIDES,
    ),
    Rule(
        "statsig.counting.environment",
        "Results are of production, which also what names no tier belongs to. An experiment that is enabled for other tiers has results of each of them too, apart from production's.",
        STATSIG_HOW_METRICS,
        setting="statsig.experiments.*.environments",
        otherwise="Production is said to be prioritized in the final results; how others are shown beside it is not said.",
    ),
    Rule(
        "statsig.counting.period",
        "Exposures and events count from the experiment's start to its decision. After a reset and a new start nothing of before counts.",
        STATSIG_CONSOLE_API,
        "assumed",
        otherwise="On the last day, that of the decision, exposures are said not to count; here they do until the decision.",
    ),
    Rule(
        "statsig.counting.gates",
        "A rule of a gate that passes for more than 0 % and less than 100 % of its units is an A/B test of two groups, pass and fail; its exposures name the rule. A disabled gate tests nothing.",
        STATSIG_GATE_CONDITIONS,
    ),
    Rule(
        "statsig.counting.sample-ratio",
        "Whether groups have the sizes that they should is tested by chi-squared: a p-value under 0.01 is a warning; one under 0.001 with a deviation of 0.1 % or more an alert.",
        STATSIG_MONITOR,
    ),
    Rule(
        "statsig.metrics.view",
        "Under Metrics each event has its count and its units (daily active users) by day, for the ID type that is chosen; only production is shown unless another tier is asked for.",
        STATSIG_METRICS_DASHBOARD,
    ),
    Rule(
        "statsig.metrics.log-stream",
        "The log stream shows the last 100 events, the latest first, those of production unless all environments are switched on; what came by Segment names segment v1.0 as its source.",
        STATSIG_SEGMENT,
    ),
    Rule(
        "statsig.console.metrics",
        "Metrics can be listed, made (201), read, changed and deleted; the ID of one is its name, two colons and its type, and stays when it is renamed. Types that are not counted here are refused.",
        STATSIG_CONSOLE_API,
    ),
    Rule(
        "statsig.console.metric-values",
        "The values of metrics on one day are listed by ID type, and overall.",
        STATSIG_CONSOLE_API,
        "assumed",
        otherwise="What overall counts is not said: all events of production here, with ids or without.",
    ),
    Rule(
        "statsig.console.exposure-counts",
        "The exposures of gates, experiments and dynamic configs of the past day and of seven days can be read, and of an experiment how many units each group had seen by the end of each day.",
        STATSIG_CONSOLE_API,
    ),
)

# ---- Engage audiences, Statsig's ID lists, connecting by OAuth

ENGAGE_DATA = Source("Segment: Using Engage Data", "segment.com/docs/engage/using-engage-data", "2026-11-22")
STATSIG_SEGMENT_AGAIN = Source(
    "Statsig: Segment", "docs.statsig.com/integrations/data-connectors/segment", "2026-11-22"
)

STATSIG_AUDIENCES: tuple[Rule, ...] = (
    Rule(
        "segment.audiences",
        "When a user enters or leaves an Engage audience, its destinations get an identify call: traits hold the "
        "audience's key, true or false, and context.personas says which audience it is.",
        ENGAGE_DATA,
        otherwise="How Segment makes computation_id, space_id and namespace is not said: they are settings of the audience.",
    ),
    Rule(
        "segment.audiences.track",
        "As track calls, a change is Audience Entered or Audience Exited, with the key in properties.audience_key and as a "
        "property that is true or false.",
        ENGAGE_DATA,
        setting="segment.audiences.*.sync",
    ),
    Rule(
        "segment.audiences.changes",
        "Only changes are sent: nothing of a user who enters an audience that he is in, or leaves one that he is not in.",
        ENGAGE_DATA,
        "assumed",
        otherwise="Engage can also send all members of an audience again; that is not emulated.",
    ),
    Rule(
        "segment.audiences.source",
        "An audience's calls come through a source of Engage's own, which feeds the audience's destinations and no others.",
        ENGAGE_DATA,
        "assumed",
        otherwise="Engage has one source for a space; here each audience has one, as it has destinations of its own.",
    ),
    Rule(
        "statsig.in.audience",
        "An identify call of an Engage audience lets its user enter or leave the ID list segment whose ID is the audience's "
        "key; SDKs see it when they ask for ID lists the next time.",
        STATSIG_SEGMENT_AGAIN,
        otherwise="Whether Statsig reads the key from context.personas or from the traits is not said: from the former, "
        "where it says that the call is an audience's.",
    ),
    Rule(
        "statsig.in.audience.traits",
        "Of an identify call without an audience's context.personas, each trait that is true or false and has the ID of an "
        "ID list changes that list.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        setting="statsig.segment_inbound.audience_traits",
    ),
    Rule(
        "statsig.in.audience.mismatch",
        "An audience whose key is the ID of no ID list changes nothing.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="The page says that the two must match, and not what happens where they do not.",
    ),
    Rule(
        "statsig.in.audience.value",
        "An audience's call whose trait is neither true nor false changes nothing.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="Segment's own destination for LaunchDarkly audiences takes any value, by its truth.",
    ),
    Rule(
        "statsig.in.audience.user-id",
        "An audience's call without a userId changes nothing.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="Nothing is said of members who are known by an anonymousId only.",
    ),
    Rule(
        "statsig.in.audience.id-type",
        "An ID list of another ID type than userID is not changed by an audience, whose members are user IDs.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        setting="statsig.segment_inbound.other_id_types",
    ),
    Rule(
        "statsig.in.oauth",
        "Segment can be connected by OAuth: from Statsig's console to Segment, where the user picks a source and allows it. "
        "The Statsig destination is then made and enabled with the server secret, fed by that source, and no key is pasted.",
        STATSIG_SEGMENT_AGAIN,
        otherwise="The page shows what the user does; what is set on either side is read from its result.",
    ),
    Rule(
        "statsig.in.oauth.paths",
        "It begins at GET /v1/integrations/segment/oauth of Statsig, goes to /oauth/authorize of Segment with client_id, "
        "redirect_uri and state, and comes back to Statsig's callback with a code.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="The addresses of the real pages are those of two consoles, and not public.",
    ),
    Rule(
        "statsig.in.oauth.state",
        "A state and a code are good for one use within ten minutes; the browser is led to no address but the lab's own.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="Nothing is said of it; so OAuth asks for it.",
    ),
    Rule(
        "statsig.in.oauth.again",
        "Where a Statsig destination is there already, that one is enabled, given the server secret and fed by the source.",
        STATSIG_SEGMENT_AGAIN,
        "assumed",
        otherwise="Segment would let the user add another one.",
    ),
)

# ---- Split: exports to Segment, the webhook form

FME_SEGMENT_SOURCE = Source(
    "Harness FME: Segment",
    "developer.harness.io/docs/feature-management-experimentation/integrations/segment",
    "2026-11-22",
)
FME_VERIFY_IMPRESSIONS = Source(
    "Harness FME: Verify Segment impressions",
    "developer.harness.io/docs/feature-management-experimentation/integrations/guides/verify-impressions",
    "2026-11-22",
)
SEGMENT_WEBHOOKS = Source(
    "Segment: Webhooks destination", "segment.com/docs/connections/destinations/catalog/webhooks", "2026-11-22"
)

SPLIT_EXPORTS: tuple[Rule, ...] = (
    Rule(
        "split.out.impressions",
        "Each impression that an SDK posts is sent to Segment as a track call named get_treatment, at the impression's own time. Counts, unique keys and events are not sent.",
        FME_SEGMENT_SOURCE,
        setting="split.segment_outbound",
        otherwise="The form of the calls is shown in a screenshot alone; whether they come one by one or in batches is not public: batches are sent here.",
    ),
    Rule(
        "split.out.environments",
        "Only impressions of the environments that a configuration selects are sent.",
        FME_SEGMENT_SOURCE,
        setting="split.segment_outbound[].environments",
    ),
    Rule(
        "split.out.identity-map",
        "The traffic type of the flag says which id carries the key, userId or anonymousId, never both. Impressions of a traffic type that is not mapped are not sent: Segment takes no call without an id.",
        FME_VERIFY_IMPRESSIONS,
        setting="split.segment_outbound[].identities",
        otherwise="What becomes of a traffic type that is not mapped is not said; null maps it to nothing without a warning.",
    ),
    Rule(
        "split.out.write-keys",
        "Several configurations send to several write keys; an impression goes to that of each which selects its environment and maps its traffic type. A write key that no source has is warned of, and Segment says so of each request.",
        FME_SEGMENT_SOURCE,
        setting="split.segment_outbound[].write_key",
        otherwise="The page speaks of other environments for another write key; whether one environment may have two is not said.",
    ),
    Rule(
        "split.out.properties",
        "The call's properties are those of the impressions webhook; what is not known of an impression is left out.",
        FME_VERIFY_IMPRESSIONS,
        "assumed",
        setting="split.segment_outbound[].properties",
        otherwise="Text names split, treatment, label and environmentName alone; the rest, and the names of the rest, are not public. Names can be set by split.segment_outbound[].property_names.",
    ),
    Rule(
        "split.out.impression-properties",
        "The properties that an application gives an evaluation are sent as one property, JSON text as in the impressions webhook.",
        FME_IMPRESSIONS_WEBHOOK,
        "assumed",
        setting="split.segment_outbound[].impression_properties",
        otherwise="Whether the Segment integration carries them, and in which form, is not public.",
    ),
    Rule(
        "split.out.unknown-flag",
        "A flag has one traffic type in all environments, which it keeps when it is deleted. Impressions of a flag that the lab never had are not sent, as their traffic type is not known.",
        FME_SEGMENT_SOURCE,
        "assumed",
        setting="split.segment_outbound[].unknown_flags",
        otherwise="SDKs post no impressions of flags that they do not have, so that the page need not speak of them.",
    ),
    Rule(
        "split.out.loop",
        "A get_treatment that Segment sends on to its Split destination is kept there as an event. It is no impression, so that it is not sent to Segment again.",
        FME_SEGMENT_SOURCE,
        "assumed",
        otherwise="No page speaks of it.",
    ),
    Rule(
        "split.out.retry",
        "Where Segment does not take an export now (no answer, 408, 423, 429 or 5xx), it is tried again on the schedule of segment.retry; the SDK's request is answered all the same.",
        FME_SEGMENT_SOURCE,
        "assumed",
        setting="segment.retry",
        otherwise="How FME retries its calls to Segment is not public.",
    ),
    Rule(
        "split.out.refused",
        "Where Segment refuses an export for good, or the hours of retrying are over, it is lost, and an error says so.",
        FME_SEGMENT_SOURCE,
        "assumed",
        otherwise="What FME tells of it is not public.",
    ),
    Rule(
        "split.in.get-treatment",
        "The property split of a get_treatment call is the flag's name, as FME itself sends it: it is kept among the properties, and names no traffic types.",
        FME_SEGMENT_SOURCE,
        "assumed",
        otherwise="The page gives properties.split of track calls another meaning, an array of traffic types and keys, and does not speak of its own calls coming back.",
    ),
    Rule(
        "split.in.webhook-auth",
        "A webhook's delivery carries the configuration's secret as the value of Authorization. Without one it is refused with 401, with another one with 403. Segment's X-Signature is not looked at.",
        FME_SEGMENT_SOURCE,
        setting="split.segment_inbound[].secret",
        otherwise="The statuses are not documented: they are those that Segment asks of its partners. A workspace that accepts any key accepts any secret.",
    ),
    Rule(
        "split.in.webhook-auth.scheme",
        "The secret is taken behind Bearer or Basic too, with a note.",
        FME_SEGMENT_SOURCE,
        "assumed",
        setting="split.segment_inbound[].authorization",
        otherwise="The page shows the secret alone in the header's value; whether FME takes a scheme before it is not said.",
    ),
    Rule(
        "split.in.webhook-url",
        "Each configuration with a secret has a webhook of its own: POST /segment/webhook/ and its environment's name in lower case, other characters than letters and digits as hyphens; the second configuration of an environment ends in -2. Any other is answered 404.",
        FME_SEGMENT_SOURCE,
        "assumed",
        otherwise="FME hands out an address per configuration; its form is not public.",
    ),
    Rule(
        "split.in.webhook.batch",
        "A webhook's body is one Segment call or an array of them. Each is mapped on its own, as by API key; an array is answered 200 whatever becomes of its calls.",
        SEGMENT_WEBHOOKS,
        "assumed",
        otherwise="Segment's page speaks of batches; what FME does with one is not said.",
    ),
)

# ---- OwnLayer

OWNLAYER_SEGMENT = Source("OwnLayer: Segment", "docs.ownlayer.com/integrations/segment", "2026-11-22")
OWNLAYER_SDK = Source("ownlayer 0.3.0", "pypi.org/project/ownlayer", "2026-11-22")

OWNLAYER: tuple[Rule, ...] = (
    Rule(
        "ownlayer.inference",
        "An application posts each inference alone to `/api/v1/inferences/`; its 18 fields may all be left out or null, and it is kept as it came. The answer is 201 with the inference's id.",
        OWNLAYER_SDK,
        "observed",
        otherwise="No page gives the status or the fields of the answer; the SDK takes any status below 400 and reads no body.",
    ),
    Rule(
        "ownlayer.path",
        "The path is served with and without its last slash, and redirects to neither.",
        OWNLAYER_SDK,
        "assumed",
        otherwise="The SDK posts with the slash. It would follow a redirect with a GET, so that the inference were lost.",
    ),
    Rule(
        "ownlayer.auth",
        "The API key comes as `Authorization: Bearer`; without one, or with another than the organization's, the answer is 401 and nothing is kept.",
        OWNLAYER_SDK,
        "observed",
        setting="ownlayer.api_key",
        otherwise="The SDK sends the key so; which status a wrong one gets is not public.",
    ),
    Rule(
        "ownlayer.errors",
        'An error is answered as `{"detail": "..."}`, with 400, 401 or 404.',
        OWNLAYER_SDK,
        "assumed",
        otherwise="The SDK prints the body as text behind `Error tracing call`, whatever it is.",
    ),
    Rule(
        "ownlayer.malformed",
        "A body that is no JSON object is answered 400 and not kept; a list is none, as there are no batches.",
        OWNLAYER_SDK,
        "assumed",
        otherwise="No public page says.",
    ),
    Rule(
        "ownlayer.contract",
        "Inferences, answers and errors keep their contracts. An inference with a field of another type is kept, and a finding tells of it.",
        OWNLAYER_SDK,
        "observed",
        otherwise="Whether the service refuses such an inference is not public; the SDK's own model does not let one out.",
    ),
    Rule(
        "ownlayer.unknown-fields",
        "A field that the SDK does not know is kept, and an attribute of `segment` that the page does not name is passed over; a note tells of it, or a warning where it looks misspelt.",
        OWNLAYER_SDK,
        "assumed",
        otherwise="Whether the service refuses unknown fields is not public.",
    ),
    Rule(
        "ownlayer.unknown-path",
        "Any other path is answered 404 and recorded with the paths that exist.",
        OWNLAYER_SDK,
        "assumed",
        otherwise="The SDK calls no other path.",
    ),
    Rule(
        "ownlayer.evaluation",
        "An inference by itself sends nothing: what goes to Segment is an evaluation of it. There are no evaluators here; a test or the control API says how an inference fares, or a setting lets all pass or fail as they arrive.",
        OWNLAYER_SEGMENT,
        "assumed",
        setting="ownlayer.evaluate",
        otherwise="The page shows the event of an evaluation and does not say when it is sent.",
    ),
    Rule(
        "ownlayer.write-key",
        "The integration is set up with the write key of a Segment source, and what it sends is authenticated with that key. Without one nothing is sent.",
        OWNLAYER_SEGMENT,
        setting="ownlayer.segment.write_key",
    ),
    Rule(
        "ownlayer.event-choice",
        "Only the chosen events are sent to Segment. What is chosen are OwnLayer's own events; `segment.event` only renames them.",
        OWNLAYER_SEGMENT,
        setting="ownlayer.segment.events",
        otherwise="The page has the choice and does not list the events, nor say whether a renamed one is meant by its own name.",
    ),
    Rule(
        "ownlayer.metadata",
        "An evaluated inference whose `additional_metadata.segment` is an object becomes one Segment `track` call, posted to the batch endpoint with a messageId of its own.",
        OWNLAYER_SEGMENT,
        setting="ownlayer.segment.library",
        otherwise="The attributes fit a track call; the page names neither the call nor the endpoint, the library or the user agent. A `segment` that is no object is taken to send nothing.",
    ),
    Rule(
        "ownlayer.user-id-required",
        "`segment.user_id` is required and becomes the userId; without a text that names a user nothing is sent, and a finding tells of it when the inference arrives.",
        OWNLAYER_SEGMENT,
        otherwise="The page calls it required and does not say what becomes of an inference without it; other ids are not mentioned. A number is taken for no user_id.",
    ),
    Rule(
        "ownlayer.event-optional",
        "`segment.event` names the event; without it, it has OwnLayer's own name, by the evaluation's result.",
        OWNLAYER_SEGMENT,
        setting="ownlayer.segment.names",
        otherwise="The page speaks of default names and gives none; `Evaluation Pass` is its example of a name, `Evaluation Fail` is made after it. A name that is no text is taken as left out.",
    ),
    Rule(
        "ownlayer.properties",
        "`segment.properties` become the properties of the track call as they are.",
        OWNLAYER_SEGMENT,
        otherwise="Properties that are no object are taken as left out; the call then has none.",
    ),
    Rule(
        "ownlayer.properties.added",
        "OwnLayer adds no properties of its own; where a setting names one, it holds the inference's id, the result, the evaluator and the score.",
        OWNLAYER_SEGMENT,
        "assumed",
        setting="ownlayer.segment.added_properties",
        otherwise="No public page says which properties the service adds.",
    ),
    Rule(
        "ownlayer.integrations",
        "`segment.integrations` is carried into the track call as it is and selects the destinations; without it the call has none.",
        OWNLAYER_SEGMENT,
        otherwise="Integrations that are no object are taken as left out, so that every destination gets the event.",
    ),
    Rule(
        "ownlayer.silent",
        "An inference without `additional_metadata.segment` sends nothing, however it is evaluated.",
        OWNLAYER_SEGMENT,
        "assumed",
        otherwise="The page says what to add to an inference and not what becomes of others. The SDK's wrappers of OpenAI and Anthropic cannot add it.",
    ),
    Rule(
        "ownlayer.timestamp",
        "The track call's timestamp is the inference's `end_time`, else the moment of its receipt.",
        OWNLAYER_SEGMENT,
        "assumed",
        otherwise="The page does not speak of times. The SDK writes `end_time` in epoch milliseconds, as it is read here.",
    ),
    Rule(
        "ownlayer.out.retry",
        "A request to Segment that fails is sent again, on the schedule of Segment's own deliveries.",
        OWNLAYER_SEGMENT,
        "assumed",
        otherwise="No public page says how often the service tries.",
    ),
    Rule(
        "ownlayer.out.refused",
        "A request that Segment refuses for good, or that failed until the last attempt, is given up and recorded.",
        OWNLAYER_SEGMENT,
        "assumed",
        otherwise="No public page says.",
    ),
)

# ---- Segment: catalogue, Event Tester, Replay

EVENT_TESTER = Source("Segment: Event Tester", "segment.com/docs/connections/test-connections", "2026-11-22")
REPLAY_PAGE = Source("Segment: Replay", "segment.com/docs/guides/what-is-replay", "2026-11-22")

SEGMENT_TOOLS: tuple[Rule, ...] = (
    Rule(
        "segment.event-tester",
        "The Event Tester sends one real event to one destination in cloud mode, through every enabled mapping and past the destination's filters, and shows the requests, the answers and which mappings matched; the vendor keeps the event.",
        EVENT_TESTER,
    ),
    Rule(
        "segment.event-tester.off",
        "A test event goes to a destination that is switched off too, and whatever the event's integrations object says; it is opened as ingest opens a call, it is tried once, and it is none of Segment's messages.",
        EVENT_TESTER,
        "assumed",
        otherwise="The page says that other rules of processing are not applied, and that the tester is for new destinations; it names neither the switch nor the integrations object.",
    ),
    Rule(
        "segment.replay",
        "A replay sends past messages of a time range, a source, events or call types to one destination once more: messageIds and times stay, integrations become All false and that destination true, its filters apply, it may be switched off, and the message's own deliveries do not show it.",
        REPLAY_PAGE,
    ),
    Rule(
        "segment.replay.off",
        "The source of a replayed message need not feed the destination.",
        REPLAY_PAGE,
        "assumed",
        otherwise="The page speaks of replays to new tools, and not of whether a source has to be connected before.",
    ),
    Rule(
        "segment.replay.range",
        "The time range of a replay is of when Segment received a message: since is part of it, until is not. What was discarded, blocked or a repeat is not replayed.",
        REPLAY_PAGE,
        "assumed",
        otherwise="The page asks for a time period and says no more of it.",
    ),
    Rule(
        "segment.replay.evicted",
        "Messages that the journal no longer holds are not replayed, and a warning says so where some may have been asked for.",
        REPLAY_PAGE,
        "assumed",
        otherwise="Segment's archive has everything and sets no limit but a rate; the lab's journal is bounded, and sets no rate.",
    ),
    Rule(
        "statsig.in.replay",
        "Historical events that Segment replays are ingested with their own timestamps, up to seven days back; older ones are dropped.",
        STATSIG_SEGMENT,
        setting="statsig.segment_inbound.replay_days",
        otherwise="Older versions of the page name no limit. By which time it is measured, and whether old events that are no replay are refused too, is not said: here by the timestamp, and only replays are.",
    ),
)

# ---- Segment: Protocols, Public API

TRACKING_PLAN_PAGE = Source(
    "Segment: The Protocols Tracking Plan", "segment.com/docs/protocols/tracking-plan/create", "2026-11-22"
)
SCHEMA_CONFIGURATION = Source(
    "Segment: Customize your schema controls", "segment.com/docs/protocols/enforce/schema-configuration", "2026-11-22"
)
FORWARD_VIOLATIONS = Source(
    "Segment: Forward Violations", "segment.com/docs/protocols/validate/forward-violations", "2026-11-22"
)
FORWARD_BLOCKED = Source(
    "Segment: Forward blocked events", "segment.com/docs/protocols/enforce/forward-blocked-events", "2026-11-22"
)
PROTOCOLS_FAQ = Source("Segment: Protocols Frequently Asked Questions", "segment.com/docs/protocols/faq", "2026-11-22")
PUBLIC_API_SDK = Source(
    "npm package @segment/public-api-sdk-typescript 47.0.0",
    "www.npmjs.com/package/@segment/public-api-sdk-typescript",
    "2026-11-22",
)
PUBLIC_API_ERRORS = Source(
    "Segment Public API: Error Handling", "docs.segmentapis.com/tag/Error-Handling", "2026-11-22"
)
PUBLIC_API_PAGES = Source("Segment Public API: Pagination", "docs.segmentapis.com/tag/Pagination", "2026-11-22")

SEGMENT_PROTOCOLS: tuple[Rule, ...] = (
    Rule(
        "segment.protocols.rules",
        "A source's tracking plan has one JSON Schema (draft-07) over the whole message for each track event by its exact name, and one for identify, group, page, screen and for every message; a source has one plan at most, a plan many sources. A key counts only for TRACK, PAGE and SCREEN.",
        TRACKING_PLAN_PAGE,
        setting="segment.sources.*.tracking_plan",
    ),
    Rule(
        "segment.protocols.file",
        "A plan's rules can be read from a file in the shape in which the Public API lists them, with or without its `data` envelope.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.protocols.version",
        "`context.protocols.event_version`, a whole number, picks the version of the rule; where it is missing or unknown, the oldest version is used.",
        TRACKING_PLAN_PAGE,
    ),
    Rule(
        "segment.protocols.page",
        "A page or screen call is held against the rule with its name, else against its type's rule without a name, else against the event `Page Viewed` or `Screen Viewed`.",
        PROTOCOLS_FAQ,
        "assumed",
        otherwise="The page names the two events; the Public API has rules of the types PAGE and SCREEN; no page says which one wins.",
    ),
    Rule(
        "segment.protocols.look-ahead",
        "A pattern with a negative look-ahead is no pattern to Segment's validator; the workspace is refused with its place.",
        TRACKING_PLAN_PAGE,
    ),
    Rule(
        "segment.protocols.violation",
        "Each way in which a message breaks its rule is a violation with type, field and description; by default the message goes on.",
        FORWARD_VIOLATIONS,
    ),
    Rule(
        "segment.protocols.violation-words",
        "Types, fields and descriptions of violations are worded as gojsonschema words them: `Required`, `Invalid Type`, `(root)` for the message itself.",
        PROTOCOLS_FAQ,
        "assumed",
        otherwise="The pages show two types and four descriptions, all of which are gojsonschema's; the rest is taken to be so as well.",
    ),
    Rule(
        "segment.protocols.unplanned",
        "A track event that the plan does not have goes on, or is blocked as `unplanned` (`unplanned_and_schema_violation` where it breaks the common schema as well).",
        SCHEMA_CONFIGURATION,
        setting="segment.sources.*.schema.track.allow_unplanned_events",
    ),
    Rule(
        "segment.protocols.unplanned-names",
        "Properties and traits that the plan does not have are omitted where the source says so, before anything else is checked; of an event without a rule that is all of them.",
        SCHEMA_CONFIGURATION,
        "assumed",
        setting="segment.sources.*.schema.track.allow_unplanned_event_properties",
        otherwise="Whether names inside nested objects are omitted too is not said: they stay.",
    ),
    Rule(
        "segment.protocols.block",
        "A message that its source blocks goes to no destination, and is filtered at the source with the code `unplanned`, `schema_violation`, `unplanned_and_schema_violation` or `common_schema_violation`.",
        DELIVERY_OVERVIEW,
        setting="segment.sources.*.schema.track.allow_event_on_violations",
    ),
    Rule(
        "segment.protocols.omit",
        "Properties and traits with violations are omitted where the source says so; of a violation deep inside, the whole property. A property that a schema does not allow is omitted itself.",
        SCHEMA_CONFIGURATION,
        "assumed",
        setting="segment.sources.*.schema.track.allow_properties_on_violations",
        otherwise="No page says how much of a nested property is omitted.",
    ),
    Rule(
        "segment.protocols.order",
        "The standard controls come first; what they neither block nor omit is held against the common schema.",
        SCHEMA_CONFIGURATION,
    ),
    Rule(
        "segment.protocols.common",
        "A call that breaks the plan's common schema goes on, is blocked, or loses the properties or traits in question.",
        SCHEMA_CONFIGURATION,
        setting="segment.sources.*.schema.track.common_event_on_violations",
    ),
    Rule(
        "segment.protocols.context",
        "What goes on carries `context.protocols` with `sourceId`, `omitted`, `omitted_on_violation` and `violations`.",
        PROTOCOLS_FAQ,
    ),
    Rule(
        "segment.protocols.forward",
        "Each violation can be forwarded to another source as a track call `Violation Generated` of the user `schema-violations`.",
        FORWARD_VIOLATIONS,
        setting="segment.sources.*.schema.forwarding_violations_to",
    ),
    Rule(
        "segment.protocols.forward-blocked",
        "Blocked events can be forwarded to another source; they get a messageId of their own, without which they would be repeats.",
        FORWARD_BLOCKED,
        "assumed",
        setting="segment.sources.*.schema.forwarding_blocked_events_to",
        otherwise="The page says that they are forwarded, not with which messageId.",
    ),
    Rule(
        "segment.protocols.forwarded",
        "What was forwarded from another source meets no tracking plan again, so that nothing is forwarded for ever.",
        PROTOCOLS_FAQ,
    ),
    Rule(
        "segment.out.retry",
        "A forwarded call that Segment does not take is handed to it again by its own schedule of retries.",
        FORWARD_VIOLATIONS,
        "assumed",
        otherwise="No page says what becomes of it.",
    ),
    Rule(
        "segment.public-api.token",
        "The Public API, on Segment's own port, wants the workspace's token as bearer token; without it, it answers 401.",
        PUBLIC_API_ERRORS,
        setting="segment.public_api_token",
    ),
    Rule(
        "segment.public-api.envelope",
        "Answers hold `data` or `errors`, never both, and come in the media type that was asked for: `application/json` or one of `application/vnd.segment.…+json`, those of alpha and beta endpoints as well.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.errors",
        "An error has `type`, `message` and, for an input that fails, `field`: 404 where there is no such id, 409 for a conflict, 422 with the type `input-validation`.",
        PUBLIC_API_ERRORS,
        otherwise="Only the type `input-validation` is shown; `unauthorized`, `not-found` and `conflict` are assumed.",
    ),
    Rule(
        "segment.public-api.pages",
        "Lists take `pagination.count` (1 to 1000, 200 when left out) and `pagination.cursor`, and give the cursors `current`, `next` and `previous`, which are opaque.",
        PUBLIC_API_PAGES,
        otherwise="Segment's own client writes `pagination[count]`, which is taken as well.",
    ),
    Rule(
        "segment.public-api.unknown-path",
        "A path of the Public API that the lab does not have is answered 404 in the API's shape, and a finding names the paths that there are.",
        PUBLIC_API_ERRORS,
    ),
    Rule(
        "segment.public-api.catalog",
        "The catalogue has the destinations that the lab delivers to, with their ids, settings and actions, and two types of sources; ids of actions are the lab's own.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.sources",
        "Sources are made by slug and type of source, read, changed and deleted; every source has one write key. Ids are made of names, and stay the same from run to run.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.settings",
        "A source's settings are its Schema Configuration: what is not named stays, and forwarding names other sources by id.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.destinations",
        "Destinations are made of a source, a type of destination and settings by Segment's names, read, changed and deleted.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.mappings",
        "Mappings are called subscriptions, and their `settings` are the mapping. A destination that the API makes has none at first.",
        PUBLIC_API_SDK,
        "assumed",
        otherwise="That presets are not switched on by the API is taken from their description, which says that they can be applied.",
    ),
    Rule(
        "segment.public-api.filters",
        "Destination filters are made, read, changed and deleted under `/destination/<id>/filters`.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.preview",
        "`POST /destination/filters/preview` gives what a filter would leave of a payload, and null where it drops it.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.tracking-plans",
        "Tracking plans and their rules are made, read, changed and deleted, and connected to sources; a source that has another plan is a conflict.",
        PUBLIC_API_SDK,
        "observed",
    ),
    Rule(
        "segment.public-api.rules-limit",
        "One update of rules may hold 200 of them.",
        PROTOCOLS_FAQ,
    ),
    Rule(
        "segment.public-api.workspace",
        "A change is in force when it is answered: the control API shows it, routing follows it, and every flag stays as it stands.",
        PUBLIC_API_SDK,
        "assumed",
        otherwise="The real API may take minutes.",
    ),
    Rule(
        "segment.out.refused",
        "A forwarded call that Segment refuses for good is lost, and a finding says so.",
        FORWARD_VIOLATIONS,
        "assumed",
        otherwise="No page says what becomes of it.",
    ),
)

# ---- Segment: semantic specs
SPEC_SEMANTIC = Source("Segment: Spec, Semantic Events", "segment.com/docs/connections/spec/semantic", "2026-11-22")

SEGMENT_SPECS: tuple[Rule, ...] = (
    Rule(
        "segment.spec.semantic",
        "Semantic specs name events and their properties for a trade: e-commerce, B2B SaaS, mobile, video, email and live chat have an optional contract for each event, found by `x-spec` and the exact name. Segment itself takes events that do not follow them.",
        SPEC_SEMANTIC,
        otherwise="No table says which properties an event must have; `products` is required where the page asks to include every item of the cart.",
    ),
)

# ---- What trackside validate holds beside contracts: tracking plans, names of semantic events, ids
CONFIG_API_PLAN = Source(
    "segmentio/segment-docs: the tracking plan of Segment's own documentation",
    "github.com/segmentio/segment-docs/blob/master/analytics/plan.json",
    "2026-11-22",
)
IDENTITY_SETTINGS = Source(
    "Segment: Identity Resolution Settings",
    "segment.com/docs/unify/identity-resolution/identity-resolution-settings",
    "2026-11-22",
)
IDENTIFY_PRACTICES = Source(
    "Segment: Best Practices for Identifying Users",
    "segment.com/docs/connections/spec/best-practices-identify",
    "2026-11-22",
)
ANALYTICS_IDENTITY = Source(
    "Segment: Managing identity in Analytics.js",
    "segment.com/docs/connections/sources/catalog/libraries/website/javascript/identity",
    "2026-11-22",
)

BESIDE_CONTRACTS: tuple[Rule, ...] = (
    Rule(
        "segment.protocols.export",
        "A plan for `trackside validate` may be in the form of Segment's older Config API: `rules` with `events` (`name`, `version`, and as `rules` the JSON Schema of the whole call), `global` for every call, `identify` and `group`, in a `tracking_plan` envelope or without. Schemas that call themselves draft-04 are read as draft-07.",
        CONFIG_API_PLAN,
        "observed",
        otherwise="`identify_traits` and `group_traits` are empty lists wherever they were seen; a plan with rows in them is refused.",
    ),
    Rule(
        "segment.protocols.schemas",
        "A plan for `trackside validate` may be JSON Schemas of any draft: a folder with one file for each event, or an object of them by event. A schema that knows `properties.properties`, `properties.event` or a `const` of `type` is one of the whole call, any other one of its `properties`. Where it sets additionalProperties to anything but false, no property is unplanned.",
        TRACKING_PLAN_PAGE,
        "assumed",
        otherwise="Segment has no such form: its rules hold one JSON Schema for each event over the whole call, which is taken as the model.",
    ),
    Rule(
        "segment.spec.event-name",
        "Names of semantic events are exact: one that differs in case, blanks, underscores or hyphens only is an event of its own, and gets no special treatment.",
        SPEC_SEMANTIC,
        "assumed",
        otherwise="The pages speak of specific names, and not of how near misses are taken; some destinations match them loosely.",
    ),
    Rule(
        "trackside.identity.placeholder",
        "What a program writes for a missing id stands for everybody, and joins strangers to one profile. Segment suggests to block `null`, `anonymous` and `-1`; here `undefined`, `none`, `nil`, `NaN`, `unknown`, `true`, `false` and `[object Object]` are added, in upper or lower case.",
        IDENTITY_SETTINGS,
        otherwise="Blocked values are a setting of Segment's: events with them are taken all the same.",
    ),
    Rule(
        "trackside.identity.zeros",
        "An id of zeros and dashes only, such as the UUID of zeros, is one that Segment suggests to block.",
        IDENTITY_SETTINGS,
    ),
    Rule(
        "trackside.identity.blanks",
        "An id with blanks around it is another one than without, and one of blanks only is none.",
        IDENTIFY_PRACTICES,
        "assumed",
        otherwise="No page says that Segment trims ids; ids are compared as they are.",
    ),
    Rule(
        "trackside.identity.email",
        "An e-mail address is no good id, as it may change; it belongs into the traits.",
        IDENTIFY_PRACTICES,
    ),
    Rule(
        "trackside.identity.anonymous-as-user",
        "A userId is the id of the database, and an anonymousId one that is made for a visitor: the same text as both, in one call or in two, mixes them up.",
        IDENTIFY_PRACTICES,
        "assumed",
        otherwise="The page says what either is to be, and not that they must differ.",
    ),
    Rule(
        "trackside.identity.user-changes",
        "A userId that changes while the anonymousId stays overwrites a user with another, unless reset was called between (which makes a new anonymousId), or an alias call joins both.",
        ANALYTICS_IDENTITY,
    ),
    Rule(
        "trackside.identity.constant-anonymous-id",
        "An anonymousId of three users or more is one for everybody: hard-coded, or of a shared device. Their profiles are merged.",
        IDENTITY_SETTINGS,
        otherwise="How many users are too many is not said; the settings begin with five anonymousIds for a user.",
    ),
    Rule(
        "trackside.identity.flag-sdk",
        "Results of experiments are joined by id, letter for letter: an id that a flag SDK is asked with and that differs from one in analytics by case, blanks or a prefix only is told, and so is that none of many meets.",
        IDENTIFY_PRACTICES,
        "assumed",
        otherwise="The page names no flag SDKs; vendors join exposures and events by equal ids.",
    ),
)

# ---- trackside: the audit of experiments; the vendor's own rule stands beside each finding
COUNTING_PAGE = Source("trackside: will it count?", "docs/counting.md", "2026-11-22")
AUDIT = (
    *(Rule(f"trackside.audit.{condition}", about.text, COUNTING_PAGE) for condition, about in ABOUT.items()),
    Rule(
        "trackside.audit.unused-event",
        "No metric of any vendor takes an event that came: nobody can count it.",
        COUNTING_PAGE,
    ),
    Rule(
        "trackside.audit.refused",
        "A vendor refused posts, for a wrong key, say, and keeps nothing of them.",
        COUNTING_PAGE,
    ),
)

# ---- trackside: files of payloads
JSON_FORMAT = Source("RFC 8259: The JSON Data Interchange Format", "www.rfc-editor.org/rfc/rfc8259", "2026-11-22")
GZIP_FORMAT = Source("RFC 1952: GZIP file format", "www.rfc-editor.org/rfc/rfc1952", "2026-11-22")
HAR_FORMAT = Source("HTTP Archive (HAR) format", "w3c.github.io/web-performance/specs/HAR/Overview.html", "2026-11-22")
VALIDATE_PAGE = Source("trackside: validate payloads", "docs/validation.md", "2026-11-22")

INPUTS: tuple[Rule, ...] = (
    Rule(
        "trackside.input.json",
        "A text that is no JSON is told with line and column, and so is one of more levels than parsers take. On lines of their own the others are checked; a broken array is read up to there.",
        JSON_FORMAT,
    ),
    Rule(
        "trackside.input.encoding",
        "JSON that systems exchange is UTF-8: another encoding is named, and a byte that breaks UTF-8 is told with its offset. A byte order mark at the beginning is passed over.",
        JSON_FORMAT,
    ),
    Rule(
        "trackside.input.nan",
        "`NaN`, `Infinity` and `-Infinity` are no JSON, though some programs write them.",
        JSON_FORMAT,
    ),
    Rule(
        "trackside.input.duplicate-key",
        "Names within an object should be unique: of a name given twice some readers take the last value, some the first, some refuse. Here the last one counts.",
        JSON_FORMAT,
    ),
    Rule(
        "trackside.input.too-long",
        "A payload over the limit, 10 MB unless told otherwise, is passed over unread and told with its line; what follows is checked.",
        VALIDATE_PAGE,
    ),
    Rule("trackside.input.empty", "A file without a payload is told as a warning.", VALIDATE_PAGE),
    Rule(
        "trackside.input.packed",
        "A file of gzip or zstd is known by its first bytes and may have several members. One that is cut short or broken is told, with the line that was reached, and what was unpacked before is checked.",
        GZIP_FORMAT,
    ),
    Rule(
        "trackside.input.unreadable", "A file that cannot be read is told, and the others are checked.", VALIDATE_PAGE
    ),
    Rule(
        "trackside.input.har",
        "A HAR is read as one document, up to 512 MiB; an entry that is none is told with its place. Entries that concern no vendor are counted, and are no fault.",
        HAR_FORMAT,
    ),
    Rule(
        "trackside.input.recording",
        "Of a recorded exchange the request's body and the answer's are held against the contracts of their path; a body that cannot be read is told. Event streams are passed over, and a key that was redacted is as good as it was.",
        VALIDATE_PAGE,
    ),
    Rule(
        "trackside.input.evicted",
        "Requests that a running lab's journal no longer has are counted in a warning.",
        VALIDATE_PAGE,
    ),
    Rule(
        "trackside.input.no-contract",
        "A payload whose form tells no contract is a fault, as nothing was checked; contracts that come near are named.",
        VALIDATE_PAGE,
    ),
)


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        *SEGMENT_INGEST,
        *SEGMENT_FILTERS,
        *SEGMENT_ACTIONS,
        *STATSIG,
        *STATSIG_SDKS,
        *STATSIG_POSTS,
        *SPLIT,
        *SPLIT_SDKS,
        *SPLIT_POSTS,
        *LAUNCHDARKLY,
        *LAUNCHDARKLY_EVENTS,
        *LAUNCHDARKLY_REST_API,
        *LAUNCHDARKLY_COUNTING,
        *LAUNCHDARKLY_SDKS,
        *LAUNCHDARKLY_FDV2,
        *STATSIG_EXPORTS,
        *STATSIG_COUNTING,
        *STATSIG_AUDIENCES,
        *SPLIT_COUNTING,
        *SPLIT_EXPORTS,
        *OWNLAYER,
        *SEGMENT_TOOLS,
        *SEGMENT_PROTOCOLS,
        *SEGMENT_SPECS,
        *BESIDE_CONTRACTS,
        *AUDIT,
        *INPUTS,
    )
}
"""Every rule by its id, in the order of the path that an event takes."""
