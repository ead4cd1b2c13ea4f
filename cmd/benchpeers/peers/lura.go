package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/luraproject/lura/v2/config"
	"github.com/luraproject/lura/v2/logging"
	"github.com/luraproject/lura/v2/proxy"
	router "github.com/luraproject/lura/v2/router/gin"
	"github.com/luraproject/lura/v2/transport/http/client"
	"github.com/luraproject/lura/v2/transport/http/server"
)

// lura passes changes of status to the upstream as they are, by one endpoint.
func lura(s settings) error {
	_, port, err := net.SplitHostPort(s.listen)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	const path = "/icws/{session}/status/user-statuses/{user}"
	service := config.ServiceConfig{
		Version: config.ConfigVersion, Port: number, Address: "127.0.0.1", Timeout: 10 * time.Second,
		MaxIdleConnsPerHost: 256,
		Endpoints: []*config.EndpointConfig{{
			Endpoint: path, Method: "PUT", OutputEncoding: "no-op", HeadersToPass: []string{"*"},
			Backend: []*config.Backend{{Host: []string{s.upstream}, URLPattern: path, Method: "PUT", Encoding: "no-op"}},
		}},
	}
	err = service.Init()
	if err != nil {
		return err
	}
	logger, err := logging.NewLogger("ERROR", os.Stderr, "lura")
	if err != nil {
		return err
	}
	server.InitHTTPDefaultTransport(service)
	backends := proxy.CustomHTTPProxyFactory(client.NewHTTPClient)
	factory := router.NewFactory(router.Config{
		Engine: engine(), Logger: logger, HandlerFactory: router.EndpointHandler,
		ProxyFactory: proxy.NewDefaultFactory(backends, logger), RunServer: server.RunServer, Middlewares: []gin.HandlerFunc{},
	})
	factory.NewWithContext(context.Background()).Run(service)
	return nil
}
