"""Numbers and sources on the pages: the words that paper uses too (`qjmap.wording`)."""

from qjmap.wording import document, documents, listed, number, people, percent, population_line, rule_source

__all__ = ["document", "documents", "listed", "number", "people", "percent", "population_line", "rule_source"]
