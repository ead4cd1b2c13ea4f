package proxy

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkDownload fetches a document of 100 MB from the HTCC site, straight and through Portico, and
// reports the rate and by how much the heap grew at most. All of it runs in this process: the
// simulator, which makes each byte, Portico, and the caller, which drops it.
func BenchmarkDownload(b *testing.B) {
	w := newDoor(b)
	for _, way := range []struct{ name, url string }{{"direct", w.direct}, {"through Portico", w.url}} {
		b.Run(way.name, func(b *testing.B) {
			request, err := http.NewRequest("GET", way.url+"/api/v2/documents/7/content", nil)
			if err != nil {
				b.Fatal(err)
			}
			request.SetBasicAuth("bjorn", "bjorn")
			b.SetBytes(documentSize)
			watched := watchHeap()
			for b.Loop() {
				response, err := w.client.Do(request)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || n != documentSize {
					b.Fatalf("%d bytes (%v); want %d", n, err, documentSize)
				}
			}
			b.ReportMetric(float64(watched.growth())/(1<<20), "peak-heap-MB")
		})
	}
}
