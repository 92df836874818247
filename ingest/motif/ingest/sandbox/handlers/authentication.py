"""Version, identity and credentials."""

from __future__ import annotations

import hmac
import time

from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.keys import hash_password, new_pair, password_matches
from motif.ingest.sandbox.protocol import VERSION, Message, pb
from motif.ingest.sandbox.refusal import Refused

_NOBODY = hash_password("nobody")


@handles("VersionRequest", anonymous=True)
def version(call: Call, request: Message) -> Message:
    """Version of the protocol: that of the installed ``datafed`` package."""
    return pb.VersionReply(
        release_year=VERSION.DATAFED_RELEASE_YEAR,
        release_month=VERSION.DATAFED_RELEASE_MONTH,
        release_day=VERSION.DATAFED_RELEASE_DAY,
        release_hour=VERSION.DATAFED_RELEASE_HOUR,
        release_minute=VERSION.DATAFED_RELEASE_MINUTE,
        api_major=VERSION.DATAFED_COMMON_PROTOCOL_API_MAJOR,
        api_minor=VERSION.DATAFED_COMMON_PROTOCOL_API_MINOR,
        api_patch=VERSION.DATAFED_COMMON_PROTOCOL_API_PATCH,
    )


@handles("GetAuthStatusRequest", anonymous=True)
def status(call: Call, request: Message) -> Message:
    """Whether the client's key belongs to a user, and to which."""
    return pb.AuthStatusReply(auth=bool(call.uid), uid=call.uid)


@handles("AuthenticateByPasswordRequest", anonymous=True, writes=True)
def by_password(call: Call, request: Message) -> Message:
    """Bind the client's key to a user by name and password."""
    uid = request.uid.lower().removeprefix("u/")
    row = call.db.execute("SELECT id, password FROM account WHERE id = ?", (f"u/{uid}",)).fetchone()
    matches = password_matches(request.password, row["password"] if row else _NOBODY)
    return _open_session(call, row["id"] if row and matches else "")


@handles("AuthenticateByTokenRequest", anonymous=True, writes=True)
def by_token(call: Call, request: Message) -> Message:
    """Bind the client's key to a user by access token."""
    found = ""
    for row in call.db.execute("SELECT id, token FROM account"):
        if hmac.compare_digest(row["token"].encode(), request.token.encode()):
            found = row["id"]
    return _open_session(call, found)


def _open_session(call: Call, uid: str) -> Message:
    """Remember the key for a while; the user's own key stays valid for ever."""
    if not (uid and call.key):
        raise Refused("Authentication Failed", pb.AUTHN_ERROR)
    call.db.execute("DELETE FROM credential WHERE expires < ?", (time.time(),))
    call.db.execute(
        "INSERT INTO credential VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE "
        "SET account = excluded.account, expires = excluded.expires WHERE expires IS NOT NULL",
        (call.key, uid, time.time() + call.service.limits.session_seconds),
    )
    return pb.AuthStatusReply(auth=True, uid=uid)


@handles("DailyMessageRequest", anonymous=True)
def daily_message(call: Call, request: Message) -> Message:
    """The banner of the command line."""
    return pb.DailyMessageReply(message="This is a Motif sandbox: nothing leaves this machine.")


@handles("GenerateCredentialsRequest", writes=True)
def generate_credentials(call: Call, request: Message) -> Message:
    """The user's key pair, made by the server at the first request and the same afterwards."""
    row = call.db.execute(
        "SELECT public_key, private_key FROM account WHERE id = ?", (call.uid,)
    ).fetchone()
    public, private = row["public_key"], row["private_key"]
    if not public:
        public, private = new_pair()
        call.db.execute(
            "UPDATE account SET public_key = ?, private_key = ? WHERE id = ?",
            (public, private, call.uid),
        )
        call.db.execute("INSERT INTO credential VALUES (?, ?, NULL)", (public, call.uid))
    return pb.GenerateCredentialsReply(pub_key=public, priv_key=private)


@handles("RevokeCredentialsRequest", writes=True)
def revoke_credentials(call: Call, request: Message) -> Message:
    """Forget the user's key pair; sessions opened by password go on."""
    call.db.execute("DELETE FROM credential WHERE account = ? AND expires IS NULL", (call.uid,))
    call.db.execute(
        "UPDATE account SET public_key = NULL, private_key = NULL WHERE id = ?", (call.uid,)
    )
    return pb.AckReply()
