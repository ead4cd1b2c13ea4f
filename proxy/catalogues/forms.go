package catalogues

import (
	"bytes"
	"compress/gzip"
	"encoding/json"

	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// The encoded forms of a catalogue: two dialects, plain and gzip.
const (
	plainStatus = iota
	gzipStatus
	plainStatusCode
	gzipStatusCode
	forms
)

var formNames = [forms]string{"status", "status.gz", "statusCode", "statusCode.gz"}

// Encoded returns a form of a directory's catalogue: its strong ETag, with the quotes, and its text, which callers share
// and must not change; none if known says that the caller has what the ETag is of. It fails only
// where encoding does.
func (d *Directories) Encoded(one *Directory, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (etag string, text []byte, err error) {
	form := formOf(dialect, zip)
	etag = one.etags[form]
	if known(etag) {
		return etag, nil, nil
	}
	text, err = d.forms.Get(one.keys[form], func() ([]byte, error) { return encode(one.Directory, dialect, zip) })
	return etag, text, err
}

func formOf(dialect htccapi.Dialect, zip bool) int {
	form := plainStatus
	if dialect == htccapi.DialectStatusCode {
		form = plainStatusCode
	}
	if zip {
		form++
	}
	return form
}

// An entry is a status message with what Portico adds to it.
type entry struct {
	icwsapi.StatusMessage
	OperationName htccapi.Operation `json:"operationName"`
	Accessible    bool              `json:"accessible"`
}

// encode writes the document: {"statusMessageList":[...]}, in the dialect of a real server with
// "statusCode":0 before it.
func encode(d *translate.Directory, dialect htccapi.Dialect, zip bool) ([]byte, error) {
	var document struct {
		StatusCode        *int    `json:"statusCode,omitempty"`
		StatusMessageList []entry `json:"statusMessageList"`
	}
	if dialect == htccapi.DialectStatusCode {
		document.StatusCode = new(int)
	}
	document.StatusMessageList = []entry{}
	for _, message := range d.Catalogue.Messages() {
		document.StatusMessageList = append(document.StatusMessageList,
			entry{StatusMessage: message, OperationName: d.OperationFor(message.StatusID), Accessible: d.Access.Has(message.StatusID)})
	}
	plain, err := json.Marshal(document)
	if err != nil || !zip {
		return plain, err
	}
	return compress(plain)
}

func compress(plain []byte) ([]byte, error) {
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = writer.Write(plain)
	if err != nil {
		return nil, err
	}
	err = writer.Close()
	return zipped.Bytes(), err
}
