package proxy

import (
	"strings"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

// read opens the answer to a GET.
func read(dialect htccapi.Dialect) htccapi.Verdict {
	if dialect == htccapi.DialectStatus {
		return htccapi.Verdict{}
	}
	return verdict(0, "")
}

// done answers an operation that was carried out.
func done(dialect htccapi.Dialect) htccapi.OperationAnswer {
	if dialect == htccapi.DialectStatus {
		return htccapi.OperationAnswer{Verdict: htccapi.Verdict{Status: htccapi.StatusOK}}
	}
	return htccapi.OperationAnswer{Verdict: verdict(0, "")}
}

// partlyDone answers an operation that succeeded on some channels. Dialect Status can only say ok;
// its description says what failed.
func partlyDone(dialect htccapi.Dialect, succeeded, failed []htccapi.ChannelResult) htccapi.OperationAnswer {
	if dialect == htccapi.DialectStatus {
		return htccapi.OperationAnswer{Verdict: htccapi.Verdict{Status: htccapi.StatusOK, ErrorDescription: describe(failed)}}
	}
	return htccapi.OperationAnswer{Verdict: verdict(htccapi.StatusPartial, ""), Succeeded: succeeded, Failed: failed}
}

// describe says in one line what failed: "chat, email: internal error; voice: no permission".
func describe(failed []htccapi.ChannelResult) string {
	var texts []string
	channels := map[string][]string{} // by text
	for _, one := range failed {
		if channels[one.StatusMessage] == nil {
			texts = append(texts, one.StatusMessage)
		}
		channels[one.StatusMessage] = append(channels[one.StatusMessage], string(one.Channel))
	}
	for i, text := range texts {
		texts[i] = strings.Join(channels[text], ", ") + ": " + text
	}
	return strings.Join(texts, "; ")
}

// failure answers with an error.
func failure(dialect htccapi.Dialect, err error) htccapi.Verdict {
	if dialect == htccapi.DialectStatus {
		return htccapi.Verdict{Status: htccapi.StatusError, ErrorDescription: fault.Public(err)}
	}
	return verdict(fault.Code(err), fault.Public(err))
}

func verdict(code int, message string) htccapi.Verdict {
	return htccapi.Verdict{StatusCode: &code, StatusMessage: message}
}
