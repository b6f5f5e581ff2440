"""Finds everything that a server accepts in one protocol version, by leaving out what it chose before. Opens no socket.

Each answer names a suite, a group and a signature scheme. All three are left out of the next hello. A list is complete only
once the rest of it was refused while everything else was offered. In TLS 1.3 the three do not depend on each other. Before,
they do: a suite may need a group or a scheme that was left out. Where the server has its own order of suites, that would
show them out of order. So there the other lists stay whole, except groups as long as the chosen suites need one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import field

from probe.model.values import dataclass
from probe.wire.certificates import read_certificate
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import group_number, groups, groups_of, scheme_name, schemes_of, suites, suites_of

Heard = TlsReply | TlsRefusal | None
"""What came of a question; None where that could not be settled."""

MOST_SUITES = (120, 60)
"""Of a hello to a server that refuses a longer one: some take no more than 128, a few no more than 64."""
SPARE_QUESTIONS = 60
"""Questions allowed beyond one for each suite, group and scheme. Only a server that contradicts itself needs more."""
REFUSED = "refused"
"""What `without_schemes` says of a server that ends the handshake."""

_PROTOCOL_VERSION = 70
_IN_A_GROUP = frozenset({"ECDHE", "ECDH_anon"})
_IN_A_FIELD = frozenset({"DHE", "DH_anon"})
_SIGNED = frozenset({"ECDHE", "DHE"})
_USUAL_SHARES = ("x25519", "secp256r1", "secp384r1")
_LEAF_CURVES = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1", "ecdsa-p521": "secp521r1"}
"""Curves of the keys of certificates. OpenSSL shows an ECDSA certificate only to a client that offers its key's curve as a group."""


@dataclass(frozen=True, slots=True)
class Question:
    """One hello to send."""

    offer: Offer
    whole: bool = True


Asking = Generator[Question, Heard, Heard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known of one version. A list that is None is not complete; one that is empty is."""

    version: Version
    offered: bool | None
    suites: tuple[int, ...] | None
    """In the order in which the server chose them."""
    groups: tuple[int, ...] | None
    schemes: tuple[int, ...] | None
    server_order: bool | None
    """Whether the server's own order of suites decides; None where it has fewer than two, or that did not show."""
    extended_master_secret: bool | None
    secure_renegotiation: bool | None
    without_schemes: str | None
    """The scheme that a TLS 1.2 server signs with for a client that names none, or `refused`; None where that did not show."""
    replies: tuple[TlsReply, ...]
    """The first reply that showed each certificate."""


@dataclasses.dataclass(slots=True)
class _List:
    """What is left to ask for of one list, and what the server took."""

    all: tuple[int, ...]
    left: list[int] = field(init=False)
    found: list[int] = field(default_factory=list)
    is_complete: bool | None = False
    """None: it cannot be completed, since a question stayed open."""

    def __post_init__(self) -> None:
        self.left = list(self.all)

    def take(self, number: int | None) -> bool:
        """Whether it is new."""
        if number is None or number in self.found:
            return False
        self.found.append(number)
        if number in self.left:
            self.left.remove(number)
        return True

    def offered(self, *, narrow: bool) -> tuple[int, ...]:
        """What is left, where that is asked for and there is any; else everything."""
        return tuple(self.left) if narrow and self.left and self.is_complete is False else self.all

    @property
    def result(self) -> tuple[int, ...] | None:
        return tuple(self.found) if self.is_complete else None


class Elimination:
    """The questions about one version, one after another; `listing` tells at any time what is known."""

    def __init__(self, version: Version, server_name: str | None, *, after: Elimination | None = None) -> None:
        """`after`: what was found of a higher version, below TLS 1.3, of the same server. It saves questions; it answers none."""
        self._version = version
        self._server_name = server_name
        self._after = after
        curves = (number for number in groups_of(version) if groups()[number].kind != "ffdhe" or version is Version.TLS13)
        self._suites = _List(suites_of(version))
        self._groups = _List(tuple(curves))
        self._schemes = _List(schemes_of(version))
        self._certificate_schemes = tuple(dict.fromkeys((*schemes_of(Version.TLS13), *schemes_of(Version.TLS12))))
        self._spare = len(self._suites.all) + len(self._groups.all) + len(self._schemes.all) + SPARE_QUESTIONS
        self._most_suites = len(self._suites.all)
        self._shares: tuple[int, ...] = ()
        self._offered: bool | None = None
        self._server_order: bool | None = None
        self._without_schemes: str | None = None
        self._first: TlsReply | None = None
        self.has_own_prime = False
        """Whether the server holds DHE in a prime of its own choice, whatever groups of RFC 7919 are offered to it."""
        self._is_narrow = True
        """Whether lists are still narrowed together; once that was in the way, one of them has hardly anything left."""
        self._readable: TlsReply | None = None
        """The latest that was read as far as the signature."""
        self._shown: dict[bytes, TlsReply] = {}

    @property
    def took_long_hello(self) -> bool:
        """Whether the server answered a hello with more suites than some servers take."""
        return self._first is not None and self._most_suites > MOST_SUITES[0]

    @property
    def listing(self) -> Listing:
        """What is known by now."""
        first, is_old = self._first, self._version in (Version.SSL2, Version.SSL3)
        return Listing(
            version=self._version,
            offered=self._offered,
            suites=self._suites.result,
            groups=self._groups.result,
            schemes=self._schemes.result,
            server_order=self._server_order if self._suites.is_complete and len(self._suites.found) > 1 else None,
            extended_master_secret=first.extended_master_secret if first and not is_old and self._version < Version.TLS13 else None,
            secure_renegotiation=first.secure_renegotiation if first and self._version not in (Version.SSL2, Version.TLS13) else None,
            without_schemes=self._without_schemes,
            replies=tuple(self._shown.values()),
        )

    def questions(self) -> Generator[Question, Heard, None]:
        """Each question in turn; it is sent what came of the one before."""
        if self._version is Version.SSL2:
            yield from self._sslv2()
            return
        yield from self._whether_offered()
        if not self._offered:
            for one in (self._suites, self._groups, self._schemes):
                one.is_complete = None if self._offered is None else True
            return
        if self._version is Version.TLS13:
            yield from self._jointly(self._suites, self._groups, self._schemes)
            yield from self._settle_order()
            return
        yield from self._find_order()
        if self._server_order is False:
            yield from self._complete(self._suites, (self._suites, self._groups, self._schemes))
        else:
            yield from self._in_order()
            self._notice_order()
            yield from self._settle_order()
        if self._suites.is_complete:
            yield from self._complete(self._groups, (self._groups, self._schemes))
            yield from self._in_fields()
            yield from self._for_each_key()
        else:
            # What a suite that was not found would be used with is not known either.
            self._groups.is_complete = self._schemes.is_complete = None
        if self._version is Version.TLS12:
            yield from self._unnamed_schemes()

    # --- Whether, and in which order ------------------------------------------------------------------------

    def _sslv2(self) -> Generator[Question, Heard, None]:
        heard = yield Question(Offer(versions=(Version.SSL2,), suites=self._suites.all))
        known = None if heard is None else isinstance(heard, TlsReply)
        self._offered = known
        if isinstance(heard, TlsReply):
            self._first = heard
            self._suites.found = [kind for kind in heard.sslv2_kinds if kind in suites()]
        for one in (self._suites, self._groups, self._schemes):
            one.is_complete = None if known is None else True

    def _whether_offered(self) -> Generator[Question, Heard, None]:
        heard = yield from self._ask(self._suites.all)
        if isinstance(heard, TlsRefusal) and not _is_about_the_version(heard):
            if self._version is Version.TLS13:
                # A server that asks for no retry takes only what comes with a share.
                self._shares = tuple(map(group_number, _USUAL_SHARES))
                heard = yield from self._ask(self._suites.all)
                if not isinstance(heard, TlsReply):
                    self._shares = ()
            elif not (self._after and self._after.took_long_hello):
                for most in MOST_SUITES:
                    if isinstance(heard, TlsRefusal) and len(self._suites.all) > most:
                        heard = yield from self._ask(self._suites.all[:most])
                        self._most_suites = most
        self._offered = None if heard is None else isinstance(heard, TlsReply)
        if isinstance(heard, TlsReply):
            self._keep(heard)

    def _find_order(self) -> Generator[Question, Heard, None]:
        """Whether the client's order of suites decides: by a choice against it, else by offering them the other way round."""
        offered = self._suites.all[: self._most_suites]
        if not self._expects_order:
            yield from self._in_order(most=1)
            self._notice_order()
        if self._server_order is None and not self._expects_order:
            heard = yield from self._ask(tuple(reversed(offered)))
            if isinstance(heard, TlsReply):
                self._server_order = heard.suite == self._suites.found[0]
                if not self._server_order:
                    self._keep(heard)

    @property
    def _expects_order(self) -> bool:
        """Whether a higher version has shown that the server goes by its own order."""
        return self._after is not None and self._after.listing.server_order is True

    def _notice_order(self) -> None:
        """A suite that is found after another, though it was offered before it, shows that the client's order does not decide."""
        places = [self._suites.all.index(suite) for suite in self._suites.found]
        if self._server_order is None and places != sorted(places):
            self._server_order = True

    def _settle_order(self) -> Generator[Question, Heard, None]:
        """The same, once the suites are known and where no answer has shown it yet."""
        if self._server_order is None and len(self._suites.found) > 1:
            heard = yield from self._ask(tuple(reversed(self._suites.found)))
            if isinstance(heard, TlsReply):
                self._server_order = heard.suite == self._suites.found[0]

    # --- Elimination ----------------------------------------------------------------------------------------

    def _jointly(self, *lists: _List) -> Generator[Question, Heard, None]:
        """Complete each list in turn; those after it are narrowed along with it for as long as that works."""
        for target in lists:
            yield from self._complete(target, lists)

    def _complete(self, target: _List, lists: tuple[_List, ...]) -> Generator[Question, Heard, None]:
        curves: tuple[int, ...] = ()
        while target.is_complete is False:
            if not target.left:
                target.is_complete = True
                return
            chosen = self._suites_beside(target)
            if not chosen:
                # In TLS 1.3 every server signs; where no signature could be read, it is not known with what.
                target.is_complete = None if self._version is Version.TLS13 else True
                return
            asked_groups = self._groups_beside(target, is_narrow=self._is_narrow and self._groups in lists) + curves
            asked_schemes = self._schemes.offered(narrow=target is self._schemes or (self._is_narrow and self._schemes in lists))
            # A retry that is only asked for costs the server nothing; with a signature it must work out a shared secret, and sign.
            is_signature_wanted = asked_schemes != self._schemes.all
            heard = yield from self._ask(
                chosen, asked_groups, asked_schemes, whole=self._version is not Version.TLS13 or is_signature_wanted
            )
            if heard is None:
                target.is_complete = None
                return
            had = len(target.found)
            if isinstance(heard, TlsReply):
                self._judge_order(chosen, heard)
                self._keep(heard)
                if len(target.found) > had:
                    continue
            # Refused, or answered by what brings nothing new: once more with everything beside it.
            was_narrow = (target is not self._groups and asked_groups != self._groups_beside(target, is_narrow=False)) or (
                target is not self._schemes and asked_schemes != self._schemes.all
            )
            if was_narrow:
                self._is_narrow = False
            elif target is self._groups and not curves and (curves := self._curves_for(chosen)):
                continue
            else:
                self._strike(target, chosen)

    def _for_each_key(self) -> Generator[Question, Heard, None]:
        """The schemes before TLS 1.3, for suites of one kind of key at a time: OpenSSL chooses the suite first, and gives up if its key has none."""
        signed = [suites()[number] for number in self._suites.found if suites()[number].key_exchange in _SIGNED]
        for kind in dict.fromkeys(suite.authentication for suite in signed):
            chosen = tuple(suite.number for suite in signed if suite.authentication == kind)
            had = -1
            while self._schemes.left and len(self._schemes.found) > had:
                had = len(self._schemes.found)
                heard = yield from self._ask(chosen, asked_schemes=tuple(self._schemes.left))
                if heard is None:
                    self._schemes.is_complete = None
                    return
                if isinstance(heard, TlsReply):
                    self._keep(heard)
        self._schemes.is_complete = True

    def _suites_beside(self, target: _List) -> tuple[int, ...]:
        """The suites to offer while a list is completed."""
        if target is self._suites:
            return tuple(target.left[: self._most_suites])
        if self._version is Version.TLS13:
            if target is self._groups:
                return tuple(reversed(self._suites.found))
            return (self._readable.suite,) if self._readable else ()
        return tuple(suite for suite in self._suites.found if suites()[suite].key_exchange in _IN_A_GROUP)

    def _groups_beside(self, target: _List, *, is_narrow: bool) -> tuple[int, ...]:
        if target is self._schemes and self._version is Version.TLS13:
            assert self._readable is not None
            return () if self._readable.group is None else (self._readable.group,)
        return self._groups.offered(narrow=target is self._groups or is_narrow)

    def _strike(self, target: _List, refused: tuple[int, ...]) -> None:
        """What was refused with everything beside it will not be asked for again."""
        if target is self._suites:
            target.left = [suite for suite in target.left if suite not in refused]
        else:
            target.left = []

    def _in_order(self, most: int | None = None) -> Generator[Question, Heard, None]:
        """The suites in the server's own order: what is offered beside them must not keep it from its first choice.

        Leaving out groups cannot do so while suites that need one are what is chosen. With `most`, so many are asked for.
        """
        expected = list(self._after.listing.suites or ()) if self._after is not None and self._expects_order else None
        is_narrow = True
        while self._suites.is_complete is False and most != 0:
            chosen = tuple(self._suites.left[: self._most_suites])
            if not chosen:
                self._suites.is_complete = True
                return
            next_one = None if expected is None else next((suite for suite in expected if suite in self._suites.left), None)
            asked_groups = self._groups_for(next_one, is_expected=expected is not None) if is_narrow else self._groups.all
            heard = yield from self._ask(chosen, asked_groups)
            is_sure = asked_groups == self._groups.all or (_is_in_a_group(heard) if expected is None else _chose(heard, next_one))
            if heard is None:
                self._suites.is_complete = None
            elif not is_sure:
                is_narrow = False
            elif isinstance(heard, TlsReply):
                self._keep(heard)
                most = None if most is None else most - 1
                if expected is not None:
                    # What stood before it was not preferred to it, so that it is not taken at all.
                    is_narrow = heard.suite in expected
                    expected = expected[expected.index(heard.suite) + 1 :] if is_narrow else expected
            else:
                self._strike(self._suites, chosen)

    def _groups_for(self, suite: int | None, *, is_expected: bool) -> tuple[int, ...]:
        """Groups to offer, so that the server's first choice stays possible; all of them where its next one needs none."""
        left = self._groups.left
        if not is_expected:
            # The curve of an ECDSA certificate may have to be among them; which one that is may not be known yet.
            of_leaves = set(map(group_number, _LEAF_CURVES.values()))
            return tuple(number for number in self._groups.all if number in left or number in of_leaves)
        if suite is None or suites()[suite].key_exchange not in _IN_A_GROUP or not left:
            return self._groups.all
        curves = self._leaf_curves() if suites()[suite].authentication == "ECDSA" else ()
        return tuple(number for number in self._groups.all if number in left or number in curves)

    def _in_fields(self) -> Generator[Question, Heard, None]:
        """The groups of RFC 7919 that DHE is held in before TLS 1.3, where the server chooses them at the client's wish."""
        chosen = tuple(suite for suite in self._suites.found if suites()[suite].key_exchange in _IN_A_FIELD)
        if self._after is not None and self._after.has_own_prime:
            return  # it keeps to it, whatever the client wishes
        left = [number for number in groups_of(self._version) if groups()[number].kind == "ffdhe" and number not in self._groups.found]
        while chosen and left:
            heard = yield from self._ask(chosen, tuple(left))
            if heard is None:
                self._groups.is_complete = None
            if not isinstance(heard, TlsReply) or heard.group not in left:
                self.has_own_prime = isinstance(heard, TlsReply)
                return
            left.remove(heard.group)
            self._keep(heard)

    def _unnamed_schemes(self) -> Generator[Question, Heard, None]:
        chosen = tuple(suite for suite in self._suites.found if suites()[suite].key_exchange in _SIGNED)
        if chosen:
            offer = Offer(versions=(self._version,), suites=chosen, groups=self._groups.all, server_name=self._server_name)
            heard = yield from self._put(offer)
            if isinstance(heard, TlsRefusal):
                self._without_schemes = REFUSED
            elif heard is not None and heard.scheme is not None:
                self._without_schemes = scheme_name(heard.scheme)

    # --- One question ---------------------------------------------------------------------------------------

    def _ask(
        self,
        chosen: Sequence[int],
        asked_groups: tuple[int, ...] | None = None,
        asked_schemes: tuple[int, ...] | None = None,
        *,
        whole: bool = True,
    ) -> Asking:
        offered_groups = self._groups.all if asked_groups is None else asked_groups
        offer = Offer(
            versions=(self._version,),
            suites=tuple(chosen),
            groups=offered_groups,
            schemes=self._schemes.all if asked_schemes is None else asked_schemes,
            certificate_schemes=self._certificate_schemes if self._schemes.all else (),
            shares=tuple(number for number in offered_groups if number in self._shares),
            server_name=self._server_name,
        )
        return (yield from self._put(offer, whole=whole))

    def _put(self, offer: Offer, *, whole: bool = True) -> Asking:
        if self._spare <= 0:
            return None
        self._spare -= 1
        heard = yield Question(offer, whole)
        if isinstance(heard, TlsReply) and heard.chain:
            self._shown.setdefault(heard.chain[0], heard)
        return heard

    def _keep(self, reply: TlsReply) -> None:
        if self._first is None:
            self._first = reply
        if reply.scheme is not None:
            self._readable = reply
        self._suites.take(reply.suite)
        self._groups.take(reply.group)
        self._schemes.take(reply.scheme)

    def _judge_order(self, offered: Sequence[int], reply: TlsReply) -> None:
        """In TLS 1.3, by the first answer to suites that were offered the other way round."""
        found = self._suites.found
        if self._version is Version.TLS13 and self._server_order is None and len(found) > 1 and tuple(offered) == tuple(reversed(found)):
            self._server_order = reply.suite == found[0]

    def _curves_for(self, chosen: Sequence[int]) -> tuple[int, ...]:
        """What must be offered beside other groups where every suite needs an ECDSA certificate."""
        needs_ecdsa = self._version is not Version.TLS13 and all(suites()[suite].authentication == "ECDSA" for suite in chosen)
        return self._leaf_curves() if needs_ecdsa else ()

    def _leaf_curves(self) -> tuple[int, ...]:
        """Curves of the ECDSA keys that were shown."""
        shown = (*self._shown, *(self._after._shown if self._after else ()))
        return tuple(dict.fromkeys(curve for leaf in shown if (curve := _curve_of(leaf)) is not None))


def _curve_of(leaf: bytes) -> int | None:
    """The group of a certificate's key; None where it is of another kind, or cannot be read."""
    try:
        curve = _LEAF_CURVES.get(read_certificate(leaf).key)
        return None if curve is None else group_number(curve)
    except ValueError:
        return None


def _is_about_the_version(refusal: TlsRefusal) -> bool:
    return refusal.description == _PROTOCOL_VERSION or refusal.other_version is not None


def _is_in_a_group(heard: Heard) -> bool:
    return isinstance(heard, TlsReply) and suites()[heard.suite].key_exchange in _IN_A_GROUP


def _chose(heard: Heard, suite: int | None) -> bool:
    return isinstance(heard, TlsReply) and heard.suite == suite
