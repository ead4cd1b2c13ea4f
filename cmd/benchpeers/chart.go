package main

import (
	"bytes"
	"fmt"
	"html"
)

// Measures of the chart, in pixels.
const (
	chartWidth  = 860
	nameWidth   = 170
	figureWidth = 90
	barHeight   = 18
	lineHeight  = 24
	margin      = 16
)

// chart returns an SVG with a bar for each who takes part: processor time a request, pinned.
func (r *report) chart() []byte {
	var body bytes.Buffer
	y := margin + 14
	text(&body, margin, y, "bold", "Processor time a request, µs, each on a processor of its own: "+r.began.Format("2 January 2006"))
	for _, c := range contests {
		y = r.bars(&body, y+lineHeight+8, c)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13" fill="#222">`+"\n", chartWidth, y+margin)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, y+margin)
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// bars draws a contest's bars below y and returns where they end.
func (r *report) bars(out *bytes.Buffer, y int, c contest) int {
	text(out, margin, y, "bold", c.job)
	longest := 0.0
	for _, e := range c.entrants {
		value, _ := r.median("pinned", c.name, e.name, cost)
		longest = max(longest, value)
	}
	y += 8
	for _, e := range c.entrants {
		value, measured := r.median("pinned", c.name, e.name, cost)
		if !measured {
			continue
		}
		width := value / longest * (chartWidth - 2*margin - nameWidth - figureWidth)
		colour := "#b8b0ac"
		if e.name == porticoName {
			colour = "#4878a8"
		}
		text(out, margin, y+barHeight-4, "normal", e.name)
		fmt.Fprintf(out, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", margin+nameWidth, y, width, barHeight, colour)
		text(out, margin+nameWidth+int(width)+6, y+barHeight-4, "normal", fmt.Sprintf("%.1f", value))
		y += lineHeight
	}
	return y
}

func text(out *bytes.Buffer, x, y int, weight, words string) {
	fmt.Fprintf(out, `<text x="%d" y="%d" font-weight="%s">%s</text>`+"\n", x, y, weight, html.EscapeString(words))
}
