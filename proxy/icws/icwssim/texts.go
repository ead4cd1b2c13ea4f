package icwssim

import "strings"

// say returns the text of a message or reason in the language: in English if it has no other.
func (l *Language) say(english string) string {
	if text, isKnown := l.Texts[english]; isKnown {
		return text
	}
	for pattern, text := range l.Texts {
		before, after, hasName := strings.Cut(pattern, "%s")
		rest, hasBefore := strings.CutPrefix(english, before)
		name, hasAfter := strings.CutSuffix(rest, after)
		if hasName && hasBefore && hasAfter {
			return strings.Replace(text, "%s", name, 1)
		}
	}
	return english
}

// stockTexts are the German messages and reasons by the English ones, in which %s is a name.
var stockTexts = map[string]string{
	icDownReason:     "Die Verbindung zum IC-Server ist verloren gegangen.",
	logoffReason:     "Die Sitzung wurde von einem Supervisor abgemeldet.",
	switchoverReason: "Eine Umschaltung ist im Gange.",

	"The authentication process failed.":                                  "Die Authentifizierung ist fehlgeschlagen.",
	"A required license is not available.":                                "Eine erforderliche Lizenz ist nicht verfügbar.",
	"The license is not available.":                                       "Die Lizenz ist nicht verfügbar.",
	"This Session Manager is not currently accepting connections.":        "Dieser Session Manager nimmt zurzeit keine Verbindungen an.",
	"The required header Accept-Language is missing.":                     "Der erforderliche Header Accept-Language fehlt.",
	"This request requires a session ID!":                                 "Diese Anfrage erfordert eine Sitzungs-ID!",
	"The session identifier is not valid.":                                "Die Sitzungs-ID ist ungültig.",
	"The request requires a session cookie.":                              "Die Anfrage erfordert ein Sitzungscookie.",
	"The session cookie is not valid.":                                    "Das Sitzungscookie ist ungültig.",
	"An authentication token was expected in the request, but not found.": "In der Anfrage wurde ein Authentifizierungstoken erwartet, aber nicht gefunden.",
	"The HTTP method is not allowed for this resource.":                   "Die HTTP-Methode ist für diese Ressource nicht zulässig.",
	"The resource does not exist.":                                        "Die Ressource ist nicht vorhanden.",
	"The request is too long.":                                            "Die Anfrage ist zu lang.",
	"The request body is not a JSON object.":                              "Der Inhalt der Anfrage ist kein JSON-Objekt.",
	"The request body could not be read.":                                 "Der Inhalt der Anfrage konnte nicht gelesen werden.",
	"The request could not be carried out.":                               "Die Anfrage konnte nicht ausgeführt werden.",
	"An unexpected error occurred while processing the request.":          "Bei der Verarbeitung der Anfrage ist ein unerwarteter Fehler aufgetreten.",
	"The required property %s is missing.":                                "Die erforderliche Eigenschaft %s fehlt.",
	"The property %s has null in it.":                                     "Die Eigenschaft %s enthält null.",
	"The property %s has a value of the wrong type.":                      "Die Eigenschaft %s hat einen Wert vom falschen Typ.",
	"The property %s is not a date.":                                      "Die Eigenschaft %s ist kein Datum.",
	"The value of __type is not a kind of connection request.":            "Der Wert von __type ist keine Art von Verbindungsanfrage.",
	"The value of __type is not a kind of station settings.":              "Der Wert von __type ist keine Art von Stationseinstellungen.",
	"The query parameter select is required.":                             "Der Abfrageparameter select ist erforderlich.",
	"The feature does not exist.":                                         "Die Funktion ist nicht vorhanden.",
	"The user does not exist.":                                            "Der Benutzer ist nicht vorhanden.",
	"The user %s does not exist.":                                         "Der Benutzer %s ist nicht vorhanden.",
	"One of the users does not exist.":                                    "Einer der Benutzer ist nicht vorhanden.",
	"At least one user is required.":                                      "Mindestens ein Benutzer ist erforderlich.",
	"At least one property is required.":                                  "Mindestens eine Eigenschaft ist erforderlich.",
	"The list of users is empty or names one that does not exist.":        "Die Liste der Benutzer ist leer oder nennt einen, der nicht vorhanden ist.",
	"The workgroup does not exist.":                                       "Die Arbeitsgruppe ist nicht vorhanden.",
	"The user is not a member of the workgroup %s.":                       "Der Benutzer ist kein Mitglied der Arbeitsgruppe %s.",
	"The user %s is not a member of the workgroup.":                       "Der Benutzer %s ist kein Mitglied der Arbeitsgruppe.",
	"The user may not change these activations.":                          "Der Benutzer darf diese Aktivierungen nicht ändern.",
	"The user may not change the status of this user.":                    "Der Benutzer darf den Status dieses Benutzers nicht ändern.",
	"The user may not do this.":                                           "Der Benutzer darf das nicht tun.",
	"The user has no access to this status.":                              "Der Benutzer hat keinen Zugriff auf diesen Status.",
	"The status could not be set.":                                        "Der Status konnte nicht gesetzt werden.",
	"There is no status with this id.":                                    "Es gibt keinen Status mit dieser ID.",
	"The notes are too long.":                                             "Die Notizen sind zu lang.",
	"The number is too long.":                                             "Die Nummer ist zu lang.",
	"The station was not found.":                                          "Die Station wurde nicht gefunden.",
	"The station is in use by another user.":                              "Die Station wird von einem anderen Benutzer verwendet.",
	"The user is logged on to another station.":                           "Der Benutzer ist an einer anderen Station angemeldet.",
	"The session is not logged on to a station.":                          "Die Sitzung ist an keiner Station angemeldet.",
	"The request is not supported.":                                       "Die Anfrage wird nicht unterstützt.",
}
