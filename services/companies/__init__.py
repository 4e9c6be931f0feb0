"""Companies of the platform: entered and changed by people, as far as INSEE's register agrees."""

from services.companies.details import CompanyDetails
from services.companies.recording import RegisterOff, register_company, update_company

__all__ = ["CompanyDetails", "RegisterOff", "register_company", "update_company"]
