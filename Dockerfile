# A static binary and nothing else. Build:
#   docker build --build-arg VERSION=1.2.3 -t portico .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X runtime.godebugDefault=adaptivestackstart=0" -o /portico ./cmd/portico

FROM scratch
# Certificate authorities, to verify the contact centres.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /portico /portico
# Nobody in particular: the number needs no entry in a passwd file.
USER 65532:65532
# The door, and the operators' door once `admin` is set to an address outside the container.
EXPOSE 8080 9180
# Asks at 127.0.0.1:9180, or where PORTICO_ADMIN says; it does not read the settings file.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/portico", "health"]
ENTRYPOINT ["/portico"]
CMD ["serve", "--config", "/etc/portico/portico.yaml"]
