"""What `probe serve` is: an estate watched on schedule, for as long as the process lives.

`looks` parts a plan into what is held together, `known` says what is believed of it, `judging` judges that in `parts` of the estate, `recording` gives
it to the history, and `concluding` has all that done for a part, in the order of `part_queue`. `conditions`, `drift`, `ahead` and `dynamics` say what somebody is to hear of. `watcher`
drives all of it over a clock, `serving` makes a process of it, `taking_up` is what follows from an estate alone, `resting` packs what few ask for, and
`showing` and `view` show what is known to the listener. `teller` hands over to the alerts what is wrong, what changed and what comes, `alternating` what
changes back and forth, and `writing` writes what was found. `keeping` has what a restart knows, and `erasing` erases a mailbox from all of it, or renames the deployment.
"""

from probe.service.erasing import erase_from, rename_in
from probe.service.serving import SERVICE_LOCK, CannotServe, ServiceSettings, judges, serve

__all__ = ["SERVICE_LOCK", "CannotServe", "ServiceSettings", "erase_from", "judges", "rename_in", "serve"]
