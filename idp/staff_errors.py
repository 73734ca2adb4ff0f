"""What bodies, appointments and staff accounts refuse."""

from keys.errors import DomainError


class StaffNameTaken(DomainError):
    """A staff account with this user name exists."""

    code = "staff.name_taken"


class RoleUnknown(DomainError):
    """No such role. Parameter `role`."""

    code = "staff.role_unknown"


class RolesExclusive(DomainError):
    """An administrator's role stands alone. Parameters `role`, `other`."""

    code = "staff.roles_exclusive"


class RoleReserved(DomainError):
    """Provisioning gives and takes no administrator's role. Parameter `role`."""

    code = "staff.role_reserved"


class RoleOfOperators(DomainError):
    """The role reaches the whole service, and only operators give it. Parameter `role`."""

    code = "staff.role_of_operators"


class GrantsToThemselves(DomainError):
    """Nobody appoints themselves."""

    code = "staff.grants_to_themselves"


class AppointmentUnknown(DomainError):
    """No such appointment, or it has ended."""

    code = "staff.appointment_unknown"


class TimesWrong(DomainError):
    """An end that is not after its beginning."""

    code = "staff.times_wrong"


class GroupUnknown(DomainError):
    """No such group of staff."""

    code = "staff.group_unknown"


class BodyUnknown(DomainError):
    """No such body in the tree. Parameter `body`: a USCC."""

    code = "staff.body_unknown"


class BodyMisplaced(DomainError):
    """A body cannot stand below that one. Parameters `body`, `parent`: USCCs."""

    code = "staff.body_misplaced"


class BodyOutOfReach(DomainError):
    """Whoever asks answers for other bodies than this. Parameter `body`: a USCC."""

    code = "staff.body_out_of_reach"


class LocalAccountWrong(DomainError):
    """An application's own account cannot be linked so. Parameter `field`."""

    code = "staff.local_account_wrong"


class LocalAccountUnknown(DomainError):
    """The person has no such account at the application."""

    code = "staff.local_account_unknown"


class ManagesNobody(DomainError):
    """Whoever asks answers for no staff."""

    code = "staff.manages_nobody"
