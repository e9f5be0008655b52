"""The error table: each refusal that is known, and what it becomes."""

import pytest

from tap_sage_intacct.intacct.errors import (
    RULES,
    Call,
    Cause,
    ConfigurationError,
    DatabaseRefused,
    ErrorDetail,
    FieldsRefused,
    IntacctError,
    Level,
    ObjectNotFound,
    ObjectRefused,
    PermissionDenied,
    ReportNotFound,
    RequestRefused,
    SessionExpired,
    TransientError,
    classify,
)

CONTROL, OPERATION, RESULT = Level.CONTROL, Level.OPERATION, Level.RESULT

# level, errorno, text, class, a word of the remedy
CASES: list[tuple[Level, str, str, type[IntacctError], str]] = [
    (CONTROL, "GW-0010", "API rate limit exceeded", TransientError, "throttles"),
    (RESULT, "", "API rate limit exceeded", TransientError, "throttles"),
    (RESULT, "", "too many operations", TransientError, "throttles"),
    (RESULT, "", "The Service is Temporarily Off-line", TransientError, "off-line"),
    (CONTROL, "X", "Please Try Again Later", TransientError, "try again"),
    (CONTROL, "GW-0001", "Unable to process request", TransientError, "gateway"),
    (OPERATION, "XL03000006", "Invalid session abc....", SessionExpired, "expired"),
    (
        OPERATION,
        "XL03000006",
        "Invalid Web Services Authorization The sender ID &#039;s&#039; is not "
        "authorized to make Web Services requests to company ID &#039;c&#039;.",
        ConfigurationError,
        "Company > Company Info > Security",
    ),
    (
        CONTROL,
        "XL03000006",
        "Incorrect Intacct XML Partner ID or password.",
        ConfigurationError,
        "sender_password",
    ),
    (
        OPERATION,
        "",
        "This company is not authorized for XML transactions. Please subscribe to the "
        "XML Gateway.",
        ConfigurationError,
        "Company > Subscriptions",
    ),
    (
        OPERATION,
        "XL03000006",
        "Sign-in information is incorrect",
        ConfigurationError,
        "user_password",
    ),
    (
        CONTROL,
        "XMLGW_JPP0002",
        "Sign-in information is incorrect. Please check your request.",
        ConfigurationError,
        "user_password",
    ),
    (CONTROL, "UJPP0002", "", ConfigurationError, "user_password"),
    (CONTROL, "GW-0011", "Invalid Request", ConfigurationError, "company_id"),
    (
        OPERATION,
        "DL03000006",
        "The company title x does not exist",
        ConfigurationError,
        "company_id",
    ),
    (CONTROL, "PL04000055", "demo company", ConfigurationError, "demo"),
    (
        OPERATION,
        "XL03000006",
        "Sign in from this IP address is not allowed",
        ConfigurationError,
        "address filter",
    ),
    (CONTROL, "GW-0042", "Forbidden", ConfigurationError, "gateway"),
    (CONTROL, "invalidRequest", "", ConfigurationError, "gateway"),
    (
        RESULT,
        "",
        "You do not have permission to view audit history",
        PermissionDenied,
        "View permission on custom reports",
    ),
    (
        RESULT,
        "PL04000005",
        "You do not have permission for API operation READ_BY_QUERY on objects of "
        "type arinvoice",
        PermissionDenied,
        "Company > Roles",
    ),
    (
        RESULT,
        "XL03000006",
        "This feature is disabled for your company or your current user",
        PermissionDenied,
        "Company > Roles",
    ),
    (
        OPERATION,
        "XL03000006",
        "The location &#039;E9&#039; is not valid.",
        ConfigurationError,
        "entity_id",
    ),
    (RESULT, "Query Failed", "Object definition X not found", ObjectNotFound, "know"),
    (RESULT, "", "Report 'X' does not exist", ReportNotFound, "shared"),
    (RESULT, "XL03000010", "a: [B]", FieldsRefused, "fields"),
    (RESULT, "XL03000006", "a: [B]", FieldsRefused, "fields"),
    (RESULT, "", "The following fields cannot be queried", FieldsRefused, "fields"),
    (RESULT, "DL02000001", "There was an error", DatabaseRefused, "database"),
    (CONTROL, "XL03000003", "XML Parse schema error", RequestRefused, "bug"),
    (OPERATION, "XL03000006", "something new", ConfigurationError, "refused"),
    (RESULT, "BL01001973", "something new", ObjectRefused, "refused"),
]


@pytest.mark.parametrize(
    "text",
    [
        "This feature is disabled for your company or your current user",
        "You are not authorized to perform this action",
        "User is not authorised to perform this operation.",
        "The Contracts module is not subscribed",
        "Your company has not yet subscribed to Inventory Control",
        "This requires a subscription to Projects.",
        "You do not have the required permission to list contracts",
        "You don&#039;t have permission; you do not have access to this object.",
        "Insufficient privileges for this operation",
        "Access denied",
        "The user is not allowed to view invoices.",
        "This object is not available in your company",
    ],
)
@pytest.mark.parametrize("errorno", ["", "BL01001973", "XL03000006", "DL02000001"])
def test_denial_is_known_by_its_words(errorno: str, text: str) -> None:
    error = classify(RESULT, [ErrorDetail(errorno, "", text)])
    assert type(error) is PermissionDenied


@pytest.mark.parametrize(
    "text", ["You are not authorized to read this field: [SSN]", "No such value"]
)
def test_other_refusals_are_no_denials(text: str) -> None:
    assert (
        type(classify(RESULT, [ErrorDetail("XL03000010", "", text)])) is FieldsRefused
    )


@pytest.mark.parametrize(
    ("level", "http_status", "expected", "words"),
    [
        (CONTROL, 200, TransientError, "(HTTP 200)"),
        (CONTROL, 403, RequestRefused, "(HTTP 403)"),
        (OPERATION, 200, RequestRefused, "(HTTP 200)"),
        (RESULT, 200, ObjectRefused, "(HTTP 200)"),
    ],
)
def test_refusal_without_words_shows_its_status(
    level: Level, http_status: int, expected: type[IntacctError], words: str
) -> None:
    error = classify(level, [ErrorDetail()], http_status=http_status)
    assert type(error) is expected
    assert words in str(error)


def test_control_failure_of_an_unknown_number_may_pass() -> None:
    detail = ErrorDetail("XX99000001", "", "An internal error occurred.")
    assert type(classify(CONTROL, [detail])) is TransientError
    assert type(classify(CONTROL, [detail], http_status=403)) is RequestRefused


@pytest.mark.parametrize(
    ("level", "errorno", "text", "expected", "word"),
    CASES,
    ids=[f"{case[1]}-{case[2][:24]}" for case in CASES],
)
def test_refusal_becomes(
    level: Level, errorno: str, text: str, expected: type[IntacctError], word: str
) -> None:
    error = classify(level, [ErrorDetail(errorno, "", text)])
    assert type(error) is expected
    assert word in error.remedy


@pytest.mark.parametrize(
    ("level", "text", "cause"),
    [
        (CONTROL, "Incorrect Intacct XML Partner ID or password.", Cause.SENDER),
        (OPERATION, "Invalid Web Services Authorization", Cause.AUTHORISATION),
        (OPERATION, "Please subscribe to the XML Gateway.", Cause.SUBSCRIPTION),
        (OPERATION, "Your IP address is not allowed.", Cause.ADDRESS),
        (OPERATION, "Sign-in information is incorrect", Cause.USER),
        (OPERATION, "The location 'E9' is not valid.", Cause.ENTITY),
        (RESULT, "There was an error", None),
    ],
)
def test_refused_sign_in_blames(level: Level, text: str, cause: Cause | None) -> None:
    assert classify(level, [ErrorDetail("XL03000006", "", text)]).cause is cause


def test_every_rule_decides_some_case() -> None:
    deciding = {
        next(
            rule
            for rule in RULES
            if rule.matches(level, ErrorDetail(errorno, "", text))
        )
        for level, errorno, text, _, _ in CASES[:-1]
    }
    assert deciding == set(RULES)


def test_first_specific_error_decides_before_later_wrappers() -> None:
    details = [
        ErrorDetail("PL04000005", "", "You do not have permission"),
        ErrorDetail("XL03000009", "", "The entire transaction has been rolled back"),
    ]
    assert type(classify(RESULT, details)) is PermissionDenied


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "The following fields cannot be queried: [ apbill: [PAYTOCONTACTNAME, "
            "RETURNTOCONTACTNAME] ] [Support ID: x]",
            {"PAYTOCONTACTNAME", "RETURNTOCONTACTNAME"},
        ),
        ("Field error.\n\tprojectresources: [FIELD1] [Support ID: a%7Eb]", {"FIELD1"}),
        ("Field requested is not valid: gldetail.STATUS", {"STATUS"}),
        ("Some other words", set()),
    ],
)
def test_refused_fields_are_named(text: str, fields: set[str]) -> None:
    error = classify(RESULT, [ErrorDetail("XL03000010", "", text)])
    assert isinstance(error, FieldsRefused)
    assert error.fields == fields


def test_message_is_one_line_with_intacts_words_and_support_id() -> None:
    detail = ErrorDetail(
        "PL04000005",
        "",
        "You do not have\n permission &quot;x&quot; [Support ID: 9P%7Eaod]",
    )
    message = str(classify(RESULT, [detail], call=Call("query", "APBILL")))
    assert "\n" not in message
    assert 'query of APBILL: PL04000005: You do not have permission "x".' in message
    assert message.endswith("[Support ID: 9P~aod]")


def test_session_id_in_the_text_is_dropped() -> None:
    detail = ErrorDetail("XL03000006", "", "Invalid session AbC123secret....")
    error = classify(OPERATION, [detail])
    assert "AbC123secret" not in str(error) + repr(error.details)
