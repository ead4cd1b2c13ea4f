package icwssim

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image/png"
	"testing"

	"portico/translate/icwsapi"
)

func TestIcons(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		var catalogue icwsapi.StatusMessages
		err := json.Unmarshal([]byte(loggedIn(t, s, "anna").must("GET", "/status/status-messages", "").body), &catalogue)
		if err != nil || len(catalogue.StatusMessageList) == 0 {
			t.Fatalf("catalogue = %v, %v", catalogue, err)
		}
		for _, status := range catalogue.StatusMessageList {
			got := stranger(t, s).do("GET", status.IconURI, "")
			if got.status != 200 || got.header.Get("Content-Type") != "image/x-icon" {
				t.Fatalf("%s = %d %s; want an icon", status.IconURI, got.status, got.header.Get("Content-Type"))
			}
			file := []byte(got.body)
			at, length := binary.LittleEndian.Uint32(file[18:]), binary.LittleEndian.Uint32(file[14:])
			image, err := png.Decode(bytes.NewReader(file[at:]))
			if err != nil || image.Bounds().Dx() != int(file[6]) || int(at+length) != len(file) {
				t.Errorf("%s: %v, %d bytes at %d of %d; want a PNG to the end", status.IconURI, err, length, at, len(file))
			}
		}
		wantStatus(t, stranger(t, s).do("GET", "/icws/resources/status/sea.ico", ""), 404)
	})
}
