package icwssim

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"slices"
)

// iconRoot begins the addresses of icons: real ones were not seen, only that they start at the root.
const iconRoot = "/icws/resources/status/"

// iconURI invents an icon's address.
func iconURI(name string) string { return iconRoot + name + ".ico" }

// getIcon answers GET of an iconUri of the catalogue. Guess: without a session, as pages show it in an img.
func getIcon(s *Server, c *call) reply {
	uri := iconRoot + c.params["icon"]
	i := slices.IndexFunc(s.catalogue, func(entry status) bool { return entry.IconURI == uri })
	if i < 0 {
		return notFound()
	}
	r := empty(http.StatusOK)
	r.contentType, r.body = "image/x-icon", s.catalogue[i].icon()
	return r
}

// icon draws a disc as an ICO file with one image: green for ACD, red for do not disturb, else amber.
func (entry *status) icon() []byte {
	paint := color.NRGBA{R: 0xe6, G: 0x9f, A: 0xff}
	switch {
	case entry.IsACDStatus:
		paint = color.NRGBA{R: 0x2e, G: 0x9e, B: 0x4f, A: 0xff}
	case entry.IsDoNotDisturbStatus:
		paint = color.NRGBA{R: 0xc6, G: 0x28, B: 0x28, A: 0xff}
	}
	const size = 16 // pixels
	disc := image.NewNRGBA(image.Rect(0, 0, size, size))
	for x := range size {
		for y := range size {
			dx, dy := 2*x+1-size, 2*y+1-size // from the centre, in half pixels
			if dx*dx+dy*dy < 14*14 {
				disc.SetNRGBA(x, y, paint)
			}
		}
	}
	var drawn bytes.Buffer
	err := png.Encode(&drawn, disc)
	if err != nil {
		panic("icwssim: draw an icon: " + err.Error())
	}
	file := []byte{0, 0, 1, 0, 1, 0, size, size, 0, 0, 1, 0, 32, 0} // one image of 32 bits a pixel
	file = binary.LittleEndian.AppendUint32(file, uint32(drawn.Len()))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(file)+4)) // where it begins
	return append(file, drawn.Bytes()...)
}
